import type { Node, Shape } from '../../../graph/types.js';
import { sizeOf } from '../../../graph/types.js';
import type { Emitter } from '../../../onnx/standard/emitter.js';
import type { Lowering, LoweringTable } from '../../../onnx/standard/lowering.js';
import { epsilonOf } from '../../../onnx/standard/normalization.js';
import { reduce } from '../../../onnx/standard/reduction.js';
import { reshape } from './taps.js';
import { axisAttribute, intAttribute } from '../../../graph/attributes.js';

/** How a normalisation looks at its tensors. Mean, deviation, scale and bias broadcast against `view`. */
interface Frame {
  readonly view: Shape;
  readonly moments: Shape;
  /** Axes of `view` that a mean is taken over. */
  readonly momentAxes: readonly number[];
  readonly affine: Shape;
  /** Axes of `view` over which one scale and bias is shared. */
  readonly affineAxes: readonly number[];
}

type FrameRule = (x: Shape, node: Node) => Frame;

const batch: FrameRule = ([examples, channels, ...rest]) => ({
  view: [examples!, channels!, sizeOf(rest)],
  moments: [1, channels!, 1],
  momentAxes: [0, 2],
  affine: [1, channels!, 1],
  affineAxes: [0, 2],
});

function grouped([examples, channels, ...rest]: Shape, groups: number): Frame {
  const members = channels! / groups;
  return {
    view: [examples!, groups, members, sizeOf(rest)],
    moments: [examples!, groups, 1, 1],
    momentAxes: [2, 3],
    affine: [1, groups, members, 1],
    affineAxes: [0, 3],
  };
}

const layer: FrameRule = (x, node) => {
  const axis = axisAttribute(node, x.length, -1);
  const [outer, inner] = [sizeOf(x.slice(0, axis)), sizeOf(x.slice(axis))];
  return { view: [outer, inner], moments: [outer, 1], momentAxes: [1], affine: [1, inner], affineAxes: [0] };
};

const frames: Readonly<Record<string, FrameRule>> = {
  BatchNormTraining: batch,
  BatchNormGrad: batch,
  InstanceNormalization: (x) => grouped(x, x[1]!),
  InstanceNormGrad: (x) => grouped(x, x[1]!),
  GroupNormalization: (x, node) => grouped(x, intAttribute(node, 'num_groups')),
  GroupNormGrad: (x, node) => grouped(x, intAttribute(node, 'num_groups')),
  LayerNormGrad: layer,
};

/** The frame of a normalisation of x, or of its gradient. */
function frameOf(node: Node, x: Shape): Frame {
  return frames[node.op]!(x, node);
}

/** y = (x - mean) · (scale / deviation) + bias, with the statistics that the gradient needs. */
const withOwnStatistics: Lowering = (emit, node, [x, scale, bias]) => {
  const frame = frameOf(node, node.inputs[0]!.shape);
  const moment = (tensor: string, k: number): string => reshape(emit, tensor, node.outputs[k]!.shape);
  const view = reshape(emit, x!, frame.view);
  const mean = moment(reduce(emit, 'ReduceMean', view, frame.momentAxes), 1);
  const centred = centre(emit, x!, mean, frame);
  const variance = reduce(emit, 'ReduceMean', emit.add('Mul', [centred, centred]), frame.momentAxes);
  const invStd = inverseDeviation(emit, variance, epsilonOf(node));
  const factor = emit.add('Mul', [invStd, reshape(emit, scale!, frame.affine)]);
  const y = emit.add('Add', [emit.add('Mul', [centred, factor]), reshape(emit, bias!, frame.affine)]);
  return [reshape(emit, y, node.outputs[0]!.shape), mean, moment(invStd, 2)];
};

/** x - mean; emitted alike by an operator and by its gradient, it is computed once. */
function centre(emit: Emitter, x: string, mean: string, frame: Frame): string {
  return emit.add('Sub', [reshape(emit, x, frame.view), reshape(emit, mean, frame.moments)]);
}

function inverseDeviation(emit: Emitter, variance: string, epsilon: number): string {
  return emit.add('Reciprocal', [emit.add('Sqrt', [emit.add('Add', [variance, emit.scalar(epsilon)])])]);
}

/** The tensors of a gradient in the shapes of its frame. */
interface Operands {
  readonly frame: Frame;
  readonly dy: string;
  readonly centred: string;
  readonly scale: string;
  readonly invStd: string;
}

/** dx, dscale and dbias in the shapes of the frame. */
type Gradients = readonly [dx: string, dscale: string, dbias: string];

function sumOf(emit: Emitter, x: string, axes: readonly number[]): string {
  return reduce(emit, 'ReduceSum', x, axes);
}

/**
 * Where scale and statistics belong to the same elements: with A = scale / deviation, dx is
 * A (dy - mean(dy)) - A mean(dy · n) n, and n is only needed as (x - mean) / deviation in numbers per channel.
 */
function batchGradients(emit: Emitter, { frame, dy, centred, scale, invStd }: Operands): Gradients {
  const share = emit.scalar(sizeOf(frame.moments) / sizeOf(frame.view));
  const dbias = sumOf(emit, dy, frame.affineAxes);
  const product = sumOf(emit, emit.add('Mul', [dy, centred]), frame.affineAxes);
  const dscale = emit.add('Mul', [product, invStd]);
  const factor = emit.add('Mul', [invStd, scale]);
  const shared = emit.add('Mul', [factor, share]);
  const slope = emit.add('Mul', [emit.add('Mul', [shared, dscale]), invStd]);
  const rest = emit.add('Add', [emit.add('Mul', [centred, slope]), emit.add('Mul', [shared, dbias])]);
  return [emit.add('Sub', [emit.add('Mul', [dy, factor]), rest]), dscale, dbias];
}

/** With n the normalised x and g = dy · scale: dx = (g - mean(g) - n · mean(g · n)) / deviation. */
function ownGradients(emit: Emitter, { frame, dy, centred, scale, invStd }: Operands): Gradients {
  const normal = emit.add('Mul', [centred, invStd]);
  const scaled = emit.add('Mul', [dy, scale]);
  const mean = reduce(emit, 'ReduceMean', scaled, frame.momentAxes);
  const slope = reduce(emit, 'ReduceMean', emit.add('Mul', [scaled, normal]), frame.momentAxes);
  const rest = emit.add('Sub', [emit.add('Sub', [scaled, mean]), emit.add('Mul', [normal, slope])]);
  const dscale = sumOf(emit, emit.add('Mul', [dy, normal]), frame.affineAxes);
  return [emit.add('Mul', [rest, invStd]), dscale, sumOf(emit, dy, frame.affineAxes)];
}

const gradient: Lowering = (emit, node, [dy, x, scale, mean, invStd]) => {
  const frame = frameOf(node, node.inputs[1]!.shape);
  const operands: Operands = {
    frame,
    dy: reshape(emit, dy!, frame.view),
    centred: centre(emit, x!, mean!, frame),
    scale: reshape(emit, scale!, frame.affine),
    invStd: reshape(emit, invStd!, frame.moments),
  };
  const gradients = node.op === 'BatchNormGrad' ? batchGradients : ownGradients;
  return gradients(emit, operands).map((tensor, k) => reshape(emit, tensor, node.outputs[k]!.shape));
};

/** Normalisations that compute statistics of their own, and gradients of all. */
export const normalizations: LoweringTable = {
  BatchNormTraining: withOwnStatistics,
  InstanceNormalization: withOwnStatistics,
  GroupNormalization: withOwnStatistics,
  BatchNormGrad: gradient,
  LayerNormGrad: gradient,
  InstanceNormGrad: gradient,
  GroupNormGrad: gradient,
};
