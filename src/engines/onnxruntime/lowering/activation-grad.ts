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

/** dy where x > 0, else dy · alpha e^x. */
function eluGradient(emit: Emitter, dy: string, x: string, alpha: number): string {
  const exponential = emit.add('Mul', [emit.add('Exp', [x]), emit.scalar(alpha)]);
  return emit.add('Where', [
    emit.add('Greater', [x, emit.scalar(0)]),
    dy,
    emit.add('Mul', [dy, exponential]),
  ]);
}

/** Φ(x) + x φ(x), with the normal distribution's cumulative function and density. */
function geluSlope(emit: Emitter, x: string): string {
  const erf = emit.add('Erf', [emit.add('Mul', [x, emit.scalar(Math.SQRT1_2)])]);
  const cumulative = emit.add('Mul', [emit.add('Add', [emit.scalar(1), erf]), emit.scalar(0.5)]);
  const square = emit.add('Mul', [emit.add('Mul', [x, x]), emit.scalar(-0.5)]);
  const bell = emit.add('Mul', [x, emit.add('Exp', [square])]);
  const density = emit.add('Mul', [bell, emit.scalar(1 / Math.sqrt(2 * Math.PI))]);
  return emit.add('Add', [cumulative, density]);
}

/** Slope of x/2 (1 + t) with t = tanh(k (x + c x³)): (1 + t)/2 + x/2 (1 - t²) k (1 + 3 c x²). */
function tanhGeluSlope(emit: Emitter, x: string): string {
  const k = Math.sqrt(2 / Math.PI);
  const c = 0.044715;
  const square = emit.add('Mul', [x, x]);
  const cubic = (factor: number): string =>
    emit.add('Add', [emit.scalar(1), emit.add('Mul', [square, emit.scalar(factor)])]);
  const t = emit.add('Tanh', [emit.add('Mul', [emit.add('Mul', [x, cubic(c)]), emit.scalar(k)])]);
  const rest = emit.add('Sub', [emit.scalar(1), emit.add('Mul', [t, t])]);
  const rise = emit.add('Mul', [rest, emit.scalar(k)]);
  const half = emit.add('Mul', [emit.add('Add', [emit.scalar(1), t]), emit.scalar(0.5)]);
  const inner = emit.add('Mul', [rise, cubic(3 * c)]);
  return emit.add('Add', [half, emit.add('Mul', [emit.add('Mul', [x, emit.scalar(0.5)]), inner])]);
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
  EluGrad: (emit, node, [dy, x]) => eluGradient(emit, dy!, x!, activationAttribute(node, 'alpha')),
  SeluGrad: (emit, node, [dy, x]) => {
    const elu = eluGradient(emit, dy!, x!, activationAttribute(node, 'alpha'));
    return emit.add('Mul', [elu, emit.scalar(activationAttribute(node, 'gamma'))]);
  },
  HardSwishGrad: chain((emit, x) => between(emit, x, [-3, 0], affine(emit, x, 1 / 3, 0.5), [3, 1])),
  HardSigmoidGrad: chain(hardSigmoidSlope),
  GeluGrad: chain((emit, x, node) => (isTanhGelu(node) ? tanhGeluSlope(emit, x) : geluSlope(emit, x))),
  ClipGrad: chain(clipSlope),
};
