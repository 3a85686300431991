import { activationAttribute } from '../../../graph/activations.js';
import type { Node } from '../../../graph/types.js';
import type { Emitter } from '../../../onnx/standard/emitter.js';
import { isTanhGelu } from '../../../onnx/standard/activation.js';
import type { Lowering, LoweringTable } from '../../../onnx/standard/lowering.js';

/** dx = dy · slope(x). */
function chain(slope: (emit: Emitter, x: string, node: Node) => string): Lowering {
  return (emit, node, [dy, x]) => emit.add('Mul', [dy!, slope(emit, x!, node)]);
}

/** x · factor + term */
function affine(emit: Emitter, x: string, factor: number, term: number): string {
  return emit.add('Add', [emit.add('Mul', [x, emit.scalar(factor)]), emit.scalar(term)]);
}

/** `inside` where low < x < high, else the given constants. */
function between(
  emit: Emitter,
  x: string,
  low: readonly [bound: number, value: number],
  inside: string,
  high: readonly [bound: number, value: number],
): string {
  const above = emit.add('Greater', [x, emit.scalar(low[0])]);
  const below = emit.add('Less', [x, emit.scalar(high[0])]);
  const upper = emit.add('Where', [below, inside, emit.scalar(high[1])]);
  return emit.add('Where', [above, upper, emit.scalar(low[1])]);
}

function eluSlope(emit: Emitter, x: string, alpha: number, gamma: number): string {
  const positive = emit.add('Greater', [x, emit.scalar(0)]);
  const exponential = emit.add('Exp', [emit.add('Min', [x, emit.scalar(0)])]);
  const negative = emit.add('Mul', [exponential, emit.scalar(alpha * gamma)]);
  return emit.add('Where', [positive, emit.scalar(gamma), negative]);
}

/** Φ(x) + x φ(x), with the normal distribution's cumulative function and density. */
function geluSlope(emit: Emitter, x: string): string {
  const erf = emit.add('Erf', [emit.add('Mul', [x, emit.scalar(Math.SQRT1_2)])]);
  const square = emit.add('Mul', [emit.add('Mul', [x, x]), emit.scalar(-0.5)]);
  const density = emit.add('Mul', [emit.add('Exp', [square]), emit.scalar(1 / Math.sqrt(2 * Math.PI))]);
  return emit.add('Add', [affine(emit, erf, 0.5, 0.5), emit.add('Mul', [x, density])]);
}

/** Slope of x/2 (1 + t) with t = tanh(k (x + c x³)): (1 + t)/2 + x/2 (1 - t²) k (1 + 3 c x²). */
function tanhGeluSlope(emit: Emitter, x: string): string {
  const k = Math.sqrt(2 / Math.PI);
  const c = 0.044715;
  const square = emit.add('Mul', [x, x]);
  const t = emit.add('Tanh', [emit.add('Mul', [x, affine(emit, square, k * c, k)])]);
  const rest = affine(emit, emit.add('Mul', [t, t]), -0.5, 0.5);
  const inner = emit.add('Mul', [x, affine(emit, square, 3 * k * c, k)]);
  return emit.add('Add', [affine(emit, t, 0.5, 0.5), emit.add('Mul', [rest, inner])]);
}

/** 1 from `min` to `max`, both included, else 0. */
function clipSlope(emit: Emitter, x: string, node: Node): string {
  const below = emit.add('Less', [x, emit.scalar(activationAttribute(node, 'min'))]);
  const above = emit.add('Greater', [x, emit.scalar(activationAttribute(node, 'max'))]);
  return emit.add('Where', [emit.add('Or', [below, above]), emit.scalar(0), emit.scalar(1)]);
}

function hardSigmoidSlope(emit: Emitter, x: string, node: Node): string {
  const alpha = activationAttribute(node, 'alpha');
  const line = affine(emit, x, alpha, activationAttribute(node, 'beta'));
  return between(emit, line, [0, 0], emit.scalar(alpha), [1, 0]);
}

/** Whole gradient operators of the activations. */
export const activationGradients: LoweringTable = {
  /** By selection, so that an infinite dy does not turn a zero into NaN. */
  ReluGrad: (emit, _node, [dy, y]) =>
    emit.add('Where', [emit.add('Greater', [y!, emit.scalar(0)]), dy!, emit.scalar(0)]),
  LeakyReluGrad: (emit, node, [dy, x]) => {
    const scaled = emit.add('Mul', [dy!, emit.scalar(activationAttribute(node, 'alpha'))]);
    return emit.add('Where', [emit.add('Greater', [x!, emit.scalar(0)]), dy!, scaled]);
  },
  EluGrad: chain((emit, x, node) => eluSlope(emit, x, activationAttribute(node, 'alpha'), 1)),
  SeluGrad: chain((emit, x, node) =>
    eluSlope(emit, x, activationAttribute(node, 'alpha'), activationAttribute(node, 'gamma')),
  ),
  HardSwishGrad: chain((emit, x) => between(emit, x, [-3, 0], affine(emit, x, 1 / 3, 0.5), [3, 1])),
  HardSigmoidGrad: chain(hardSigmoidSlope),
  GeluGrad: chain((emit, x, node) => (isTanhGelu(node) ? tanhGeluSlope(emit, x) : geluSlope(emit, x))),
  ClipGrad: chain(clipSlope),
};
