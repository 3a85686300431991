import type { Pooling } from '../../../graph/windows.js';
import { poolingOf } from '../../../graph/windows.js';
import { sizeOf } from '../../../graph/types.js';
import type { Emitter } from '../../../onnx/standard/emitter.js';
import type { Lowering, LoweringTable } from '../../../onnx/standard/lowering.js';
import { withNaN } from './maxima.js';
import { paddedPooling } from './pooling-windows.js';
import { padSpatially, reshape, seenThrough, tapsOf } from './taps.js';

const maxPool: Lowering = (emit, node, [x]) => {
  const padded = paddedPooling(emit, x!, poolingOf(node));
  return withNaN(emit, emit.add('MaxPool', [padded.x], padded.attributes), x!);
};

/** dy goes to the first maximum of each window. */
const maxPoolGrad: Lowering = (emit, node, [dy, x, y]) => {
  const pooling = poolingOf(node);
  return tilesInput(pooling) ? byTaps(emit, dy!, x!, y!, pooling) : byPlaces(emit, dy!, x!, pooling);
};

/** By the places of the maxima, MaxPool's second output. */
function byPlaces(emit: Emitter, dy: string, x: string, p: Pooling): string {
  const padded = paddedPooling(emit, x, p);
  const places = emit.addMany('MaxPool', [padded.x], padded.attributes, 2)[1]!;
  const dx = scattered(emit, dy, places, [p.examples, p.channels, ...padded.input]);
  const before = padded.padsBegin.map((pad) => 0 - pad);
  const after = padded.input.map((extent, axis) => p.input[axis]! - extent - before[axis]!);
  return padSpatially(emit, dx, before, after);
}

/** Adds each element of dy to its place in zeros of `shape`. */
function scattered(emit: Emitter, dy: string, places: string, shape: readonly number[]): string {
  const zeros = emit.add('Expand', [emit.constant('float32', [1], [0]), emit.ints([sizeOf(shape)])]);
  const inputs = [zeros, reshape(emit, places, [-1]), reshape(emit, dy, [-1])];
  return reshape(emit, emit.add('ScatterElements', inputs, { axis: 0, reduction: 'add' }), shape);
}

/** Whether windows neither overlap nor leave gaps, and none reaches outside. */
function tilesInput(p: Pooling): boolean {
  return p.kernel.every(
    (extent, axis) =>
      p.strides[axis] === extent &&
      p.dilations[axis] === 1 &&
      p.padsBegin[axis] === 0 &&
      p.output[axis]! * extent <= p.input[axis]!,
  );
}

/** Each tap's share of dx by comparison, interleaved: about half the time of scattering. */
function byTaps(emit: Emitter, dy: string, x: string, y: string, p: Pooling): string {
  const shares = sharesOf(emit, dy, x, y, p);
  const axes = p.kernel.length;
  const rank = 2 + 2 * axes;
  const windowed = [p.examples, p.channels, ...p.output.flatMap((extent) => [extent, 1])];
  let parts = shares.map((share) => reshape(emit, share, windowed));
  for (let axis = axes - 1; axis >= 0; axis--) {
    const extent = p.kernel[axis]!;
    parts = groupsOf(parts, extent).map((group) =>
      emit.add('Concat', group, { axis: rank - 2 * (axes - axis) + 1 }),
    );
  }
  const covered = p.output.map((extent, axis) => extent * p.kernel[axis]!);
  const dx = reshape(emit, parts[0]!, [p.examples, p.channels, ...covered]);
  const rest = covered.map((extent, axis) => p.input[axis]! - extent);
  return padSpatially(
    emit,
    dx,
    rest.map(() => 0),
    rest,
  );
}

/** For each tap: dy where this tap is the first to equal y, else 0. */
function sharesOf(emit: Emitter, dy: string, x: string, y: string, p: Pooling): string[] {
  const zero = emit.scalar(0);
  let left = dy;
  return tapsOf(p.kernel).map((tap) => {
    const hit = emit.add('Equal', [seenThrough(emit, x, tap, p), y]);
    const share = emit.add('Where', [hit, left, zero]);
    left = emit.add('Where', [hit, zero, left]);
    return share;
  });
}

function groupsOf(list: readonly string[], size: number): string[][] {
  return Array.from({ length: list.length / size }, (_, k) => list.slice(k * size, (k + 1) * size));
}

/** Max pooling and its gradient. */
export const maxPools: LoweringTable = { MaxPool: maxPool, MaxPoolGrad: maxPoolGrad };
