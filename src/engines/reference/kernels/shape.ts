import { axisAttribute, intsAttribute, numberAttribute } from '../../../graph/attributes.js';
import { stridesOf } from '../../../graph/shapes.js';
import { paddingOf, slicingOf } from '../../../graph/slices.js';
import type { Kernel, Tensor } from '../tensor.js';
import { broadcastOffsets, offsetsOf, pick, zeros } from '../tensor.js';

/** The same numbers in the same order under another shape. */
const renamed: Kernel = ([x], node) => [{ shape: node.outputs[0]!.shape, data: x!.data }];

const transpose: Kernel = ([x], node) => {
  const perm = intsAttribute(node, 'perm', [...x!.shape.keys()].reverse());
  const strides = stridesOf(x!.shape);
  const { shape } = node.outputs[0]!;
  const offsets = offsetsOf(
    shape,
    perm.map((axis) => strides[axis]!),
  );
  return [pick(x!, offsets, shape)];
};

const expand: Kernel = ([x], node) => {
  const { shape } = node.outputs[0]!;
  return [pick(x!, broadcastOffsets(x!.shape, shape), shape)];
};

const tile: Kernel = ([x], node) => {
  const repeats = intsAttribute(node, 'repeats');
  const strides = stridesOf(x!.shape);
  const offsets = offsetsOf(
    x!.shape.flatMap((extent, axis) => [repeats[axis]!, extent]),
    strides.flatMap((stride) => [0, stride]),
  );
  return [pick(x!, offsets, node.outputs[0]!.shape)];
};

/** Flat indices of the block of `whole` that starts at `start` along `axis` and has the shape of `part`. */
function blockOffsets(
  whole: readonly number[],
  part: readonly number[],
  axis: number,
  start: number,
): Int32Array {
  const strides = stridesOf(whole);
  return offsetsOf(part, strides, start * strides[axis]!);
}

function scatter(into: Tensor, from: Tensor, offsets: Int32Array): void {
  for (let i = 0; i < offsets.length; i++) into.data[offsets[i]!] = from.data[i]!;
}

const concat: Kernel = (inputs, node) => {
  const result = zeros(node.outputs[0]!.shape);
  const axis = axisAttribute(node, result.shape.length, 0);
  let start = 0;
  for (const x of inputs) {
    scatter(result, x!, blockOffsets(result.shape, x!.shape, axis, start));
    start += x!.shape[axis]!;
  }
  return [result];
};

const split: Kernel = ([x], node) => {
  const axis = axisAttribute(node, x!.shape.length, 0);
  let start = 0;
  return node.outputs.map(({ shape }) => {
    const offsets = blockOffsets(x!.shape, shape, axis, start);
    start += shape[axis]!;
    return pick(x!, offsets, shape);
  });
};

const slice: Kernel = ([x], node) => {
  const { starts, steps, extents } = slicingOf(node);
  const strides = stridesOf(x!.shape);
  const first = starts.reduce((total, start, axis) => total + start * strides[axis]!, 0);
  const offsets = offsetsOf(
    extents,
    strides.map((stride, axis) => stride * steps[axis]!),
    first,
  );
  return [pick(x!, offsets, extents)];
};

const pad: Kernel = ([x], node) => {
  const result = zeros(node.outputs[0]!.shape);
  result.data.fill(numberAttribute(node, 'value', 0));
  const padding = paddingOf(node);
  const kept = x!.shape.map((extent, axis) => {
    const [begin, end] = padding[axis]!;
    return Math.max(0, extent + Math.min(begin, 0) + Math.min(end, 0));
  });
  const firstOf = (strides: readonly number[], sign: 1 | -1): number =>
    strides.reduce((total, stride, axis) => total + stride * Math.max(0, sign * padding[axis]![0]), 0);
  const from = stridesOf(x!.shape);
  const to = stridesOf(result.shape);
  const inside = pick(x!, offsetsOf(kept, from, firstOf(from, -1)), kept);
  scatter(result, inside, offsetsOf(kept, to, firstOf(to, 1)));
  return [result];
};

export const shapes: Readonly<Record<string, Kernel>> = {
  Reshape: renamed,
  Flatten: renamed,
  Squeeze: renamed,
  Unsqueeze: renamed,
  Transpose: transpose,
  Expand: expand,
  Tile: tile,
  Concat: concat,
  Split: split,
  Slice: slice,
  Pad: pad,
};
