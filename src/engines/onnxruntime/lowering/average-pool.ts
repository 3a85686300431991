import { intAttribute } from '../../../graph/attributes.js';
import type { Node } from '../../../graph/types.js';
import { sizeOf } from '../../../graph/types.js';
import type { Pooling } from '../../../graph/windows.js';
import { poolingOf } from '../../../graph/windows.js';
import type { Emitter } from '../emitter.js';
import type { Lowering } from './lowering.js';
import { poolingAttributes } from './pooling-attributes.js';
import { padSpatially, reshape } from './taps.js';

/** The mean over whole windows, corrected where a window's divisor is smaller than the window. */
export const averagePool: Lowering = (emit, node, [x]) => {
  const pooling = poolingOf(node);
  const counts = divisorsOf(pooling, node);
  const size = sizeOf(pooling.kernel);
  const mean = emit.add('AveragePool', [x!], { ...poolingAttributes(pooling), count_include_pad: 1 });
  if (counts.every((count) => count === size)) return mean;
  const corrections = counts.map((count) => size / count);
  return emit.add('Mul', [mean, emit.constant('float32', [1, 1, ...pooling.output], corrections)]);
};

/** Each window spreads dy / divisor evenly. */
export const averagePoolGrad: Lowering = (emit, node, [dy]) => {
  const pooling = poolingOf(node);
  const counts = emit.constant('float32', [1, 1, ...pooling.output], divisorsOf(pooling, node));
  return spread(emit, emit.add('Div', [dy!, counts]), pooling);
};

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

/** What each window divides by, of shape [1, 1, …output]. */
function divisorsOf(p: Pooling, node: Node): number[] {
  const includePad = intAttribute(node, 'count_include_pad', 0) === 1;
  return p.output
    .map((_, axis) => countsAlong(p, axis, includePad))
    .reduce((products, along) => products.flatMap((product) => along.map((count) => product * count)), [1]);
}

/** The transpose of summing windows: a transposed convolution, channel by channel, with a kernel of ones. */
function spread(emit: Emitter, share: string, p: Pooling): string {
  const images = p.examples * p.channels;
  const ones = emit.constant('float32', [1, 1, ...p.kernel], new Array<number>(sizeOf(p.kernel)).fill(1));
  const whole = emit.add('ConvTranspose', [reshape(emit, share, [images, 1, ...p.output]), ones], {
    strides: p.strides,
    dilations: p.dilations,
  });
  const covered = p.output.map(
    (extent, axis) => (extent - 1) * p.strides[axis]! + (p.kernel[axis]! - 1) * p.dilations[axis]! + 1,
  );
  const before = p.padsBegin.map((pad) => 0 - pad);
  const after = covered.map((extent, axis) => p.input[axis]! + p.padsBegin[axis]! - extent);
  return reshape(emit, padSpatially(emit, whole, before, after), [p.examples, p.channels, ...p.input]);
}
