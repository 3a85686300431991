import type { Node } from '../../../graph/types.js';
import { sizeOf } from '../../../graph/types.js';
import type { Emitter } from '../../../graph/onnx/standard/emitter.js';
import type { Lowering, LoweringTable } from '../../../graph/onnx/standard/lowering.js';
import { epsilonOf } from '../../../graph/onnx/standard/normalization.js';
import { reduce } from '../../../graph/onnx/standard/reduction.js';
import type { Frame } from './normalization-frame.js';
import { frameOf } from './normalization-frame.js';
import { reshape } from './taps.js';

/** y = (x - mean) · (scale / deviation) + bias, with the statistics that the gradient needs. */
const withOwnStatistics: Lowering = (emit, node, [x, scale, bias]) => {
  const frame = frameOf(node, node.inputs[0]!.shape);
  const view = reshape(emit, x!, frame.view);
  const mean = reduce(emit, 'ReduceMean', view, frame.momentAxes);
  const centred = emit.add('Sub', [view, mean]);
  const variance = reduce(emit, 'ReduceMean', emit.add('Mul', [centred, centred]), frame.momentAxes);
  const invStd = inverseDeviation(emit, variance, epsilonOf(node));
  const factor = emit.add('Mul', [invStd, reshape(emit, scale!, frame.affine)]);
  const y = emit.add('Add', [emit.add('Mul', [centred, factor]), reshape(emit, bias!, frame.affine)]);
  return [y, mean, invStd].map((tensor, k) => reshape(emit, tensor, node.outputs[k]!.shape));
};

function inverseDeviation(emit: Emitter, variance: string, epsilon: number): string {
  return emit.add('Reciprocal', [emit.add('Sqrt', [emit.add('Add', [variance, emit.scalar(epsilon)])])]);
}

/** The tensors of a gradient in the shapes of its frame, with n the normalised x. */
interface Operands {
  readonly frame: Frame;
  readonly dy: string;
  readonly normal: string;
  readonly scale: string;
  readonly invStd: string;
  readonly dscale: string;
  readonly dbias: string;
}

function operandsOf(emit: Emitter, node: Node, inputs: readonly string[]): Operands {
  const frame = frameOf(node, node.inputs[1]!.shape);
  const shapes = [frame.view, frame.view, frame.affine, frame.moments, frame.moments];
  const [dy, x, scale, mean, invStd] = shapes.map((shape, k) => reshape(emit, inputs[k]!, shape));
  const normal = emit.add('Mul', [emit.add('Sub', [x!, mean!]), invStd!]);
  const dscale = reduce(emit, 'ReduceSum', emit.add('Mul', [dy!, normal]), frame.affineAxes);
  const dbias = reduce(emit, 'ReduceSum', dy!, frame.affineAxes);
  return { frame, dy: dy!, normal, scale: scale!, invStd: invStd!, dscale, dbias };
}

/** factor · (d - m - n · k): what every normalisation's dx is. */
function centredGradient(emit: Emitter, factor: string, d: string, m: string, n: string, k: string): string {
  const rest = emit.add('Sub', [emit.add('Sub', [d, m]), emit.add('Mul', [n, k])]);
  return emit.add('Mul', [rest, factor]);
}

/** With g = dy · scale: dx = (g - mean(g) - n · mean(g · n)) / deviation. */
function ownGradient(emit: Emitter, { frame, dy, normal, scale, invStd }: Operands): string {
  const scaled = emit.add('Mul', [dy, scale]);
  const mean = reduce(emit, 'ReduceMean', scaled, frame.momentAxes);
  const slope = reduce(emit, 'ReduceMean', emit.add('Mul', [scaled, normal]), frame.momentAxes);
  return centredGradient(emit, invStd, scaled, mean, normal, slope);
}

/** Where scale and statistics belong to the same elements, both means are those of dbias and dscale. */
function batchGradient(emit: Emitter, { frame, dy, normal, scale, invStd, dscale, dbias }: Operands): string {
  const share = emit.scalar(sizeOf(frame.moments) / sizeOf(frame.view));
  const [mean, slope] = [dbias, dscale].map((sum) => emit.add('Mul', [sum, share]));
  return centredGradient(emit, emit.add('Mul', [invStd, scale]), dy, mean!, normal, slope!);
}

const gradient: Lowering = (emit, node, inputs) => {
  const operands = operandsOf(emit, node, inputs);
  const dx = node.op === 'BatchNormGrad' ? batchGradient(emit, operands) : ownGradient(emit, operands);
  return [dx, operands.dscale, operands.dbias].map((tensor, k) =>
    reshape(emit, tensor, node.outputs[k]!.shape),
  );
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
