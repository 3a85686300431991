import { intAttribute } from '../../../graph/attributes.js';
import type { Node } from '../../../graph/types.js';
import { sizeOf } from '../../../graph/types.js';
import type { Pooling } from '../../../graph/windows.js';
import { poolingOf } from '../../../graph/windows.js';
import type { Emitter } from '../../../onnx/standard/emitter.js';
import type { Lowering, LoweringTable } from '../../../onnx/standard/lowering.js';
import { endPads } from './pooling-windows.js';
import { padSpatially, reshape } from './taps.js';

/*
 * An average is a convolution, channel by channel, with a kernel of ones, and a division. ONNX Runtime's own AveragePool
 * takes no padding as large as its kernel_shape, which dilated windows may have, and no divisor per window.
 */

const averagePool: Lowering = (emit, node, [x]) => {
  const p = poolingOf(node);
  const images = reshape(emit, x!, [p.examples * p.channels, 1, ...p.input]);
  const pads = [...p.padsBegin, ...endPads(p)];
  const sums = emit.add('Conv', [images, onesOf(emit, p)], {
    strides: p.strides,
    dilations: p.dilations,
    pads,
  });
  return emit.add('Div', [
    reshape(emit, sums, [p.examples, p.channels, ...p.output]),
    divisors(emit, node, p),
  ]);
};

/** Each window spreads dy / divisor evenly. */
const averagePoolGrad: Lowering = (emit, node, [dy]) => {
  const p = poolingOf(node);
  const shares = emit.add('Div', [dy!, divisors(emit, node, p)]);
  const images = reshape(emit, shares, [p.examples * p.channels, 1, ...p.output]);
  const whole = emit.add('ConvTranspose', [images, onesOf(emit, p)], {
    strides: p.strides,
    dilations: p.dilations,
  });
  const covered = p.output.map(
    (extent, axis) => (extent - 1) * p.strides[axis]! + (p.kernel[axis]! - 1) * p.dilations[axis]! + 1,
  );
  const before = p.padsBegin.map((pad) => 0 - pad);
  const after = covered.map((extent, axis) => p.input[axis]! + p.padsBegin[axis]! - extent);
  return reshape(emit, padSpatially(emit, whole, before, after), [p.examples, p.channels, ...p.input]);
};

function onesOf(emit: Emitter, p: Pooling): string {
  return emit.constant('float32', [1, 1, ...p.kernel], new Array<number>(sizeOf(p.kernel)).fill(1));
}

/** How many elements along one axis each window averages. */
function countsAlong(p: Pooling, axis: number, includePad: boolean): number[] {
  const first = includePad ? -p.padsBegin[axis]! : 0;
  const end = p.input[axis]! + (includePad ? p.padsEnd[axis]! : 0);
  return Array.from({ length: p.output[axis]! }, (_, o) => {
    const start = o * p.strides[axis]! - p.padsBegin[axis]!;
    const places = Array.from({ length: p.kernel[axis]! }, (__, tap) => start + tap * p.dilations[axis]!);
    return places.filter((place) => place >= first && place < end).length;
  });
}

/** What each window divides by: [1, 1, …output]. */
function divisors(emit: Emitter, node: Node, p: Pooling): string {
  const includePad = intAttribute(node, 'count_include_pad', 0) === 1;
  const counts = p.output
    .map((_, axis) => countsAlong(p, axis, includePad))
    .reduce((products, along) => products.flatMap((product) => along.map((count) => product * count)), [1]);
  return emit.constant('float32', [1, 1, ...p.output], counts);
}

/** Average pooling and its gradient. */
export const averagePools: LoweringTable = { AveragePool: averagePool, AveragePoolGrad: averagePoolGrad };
