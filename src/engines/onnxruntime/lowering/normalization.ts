import { sizeOf } from '../../../graph/types.js';
import type { Emitter } from '../../../onnx/standard/emitter.js';
import type { Lowering, LoweringTable } from '../../../onnx/standard/lowering.js';
import { epsilonOf } from '../../../onnx/standard/normalization.js';
import { reduce } from '../../../onnx/standard/reduction.js';
import type { Frame } from './normalization-frame.js';
import { frameOf } from './normalization-frame.js';
import { reshape } from './taps.js';

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
