import type { Shape, Value } from '../../../graph/types.js';
import { isStatic, staticTensor } from '../static-tensor.js';
import {
  axisOf,
  expandTarget,
  expansion,
  flattenedShape,
  requireInside,
  reshapeTarget,
  sliceAxes,
  squeezedShape,
  unsqueezedShape,
} from './arguments.js';
import type { NodeContext, Translation, TranslationTable } from '../context.js';

/** Operators that change the shape alone, of values and of known numbers. */
function reshaped(shapeOf: (context: NodeContext, from: Shape) => number[]): Translation {
  return (c) => {
    const x = c.operand(0);
    const shape = shapeOf(c, x.shape);
    return isStatic(x) ? staticTensor(x.dtype, shape, x.data) : c.add('Reshape', [x], { shape });
  };
}

function expand(c: NodeContext): Value {
  const found = expansion(c);
  if (found !== null) return c.add('Expand', [c.asValue(found.from)], { shape: found.shape });
  const [target, given] = [expandTarget(c), c.shape(0)].map((shape) => shape.join(', '));
  return c.fail(`shape [${target!}] for [${given!}]`, 'shapes that broadcast');
}

function splitExtents(c: NodeContext, extent: number): number[] {
  const given = c.intsOf('split', 1);
  if (given !== undefined) return given;
  const count = c.attributes.int('num_outputs', c.node.output.length);
  const part = Math.ceil(extent / count);
  return Array.from({ length: count }, (_, k) => Math.max(0, Math.min(part, extent - k * part)));
}

function split(c: NodeContext): readonly Value[] {
  const x = c.value(0);
  const axis = axisOf(c, x.shape.length, 0);
  return c.addMany('Split', [x], { axis, split: splitExtents(c, x.shape[axis]!) });
}

function slice(c: NodeContext): Value {
  const x = c.value(0);
  const axes = sliceAxes(c, x.shape);
  // Of a table of positions, say, whose length is that of the sequences.
  if (axes.every(({ start, step, extent }, axis) => start === 0 && step === 1 && extent === x.shape[axis]))
    return x;
  const ends = axes.map(({ start, step, extent }) => start + step * extent);
  return c.add('Slice', [x], {
    starts: axes.map(({ start }) => start),
    // Walking backwards to the first element ends before it, which only a number far below zero says.
    ends: ends.map((end) => (end < 0 ? -(2 ** 31) : end)),
    axes: [...axes.keys()],
    steps: axes.map(({ step }) => step),
  });
}

function transpose(c: NodeContext): Value {
  const x = c.value(0);
  return c.add('Transpose', [x], { perm: c.attributes.ints('perm') ?? [...x.shape.keys()].reverse() });
}

/** Blocks of space become channels; the inverse of DepthToSpace in its DCR order. */
function spaceToDepth(c: NodeContext): Value {
  const x = c.value(0);
  const size = c.attributes.int('blocksize', 1);
  const [n, channels, height, width] = x.shape as [number, number, number, number];
  const blocks = c.add('Reshape', [x], { shape: [n, channels, height / size, size, width / size, size] });
  const moved = c.add('Transpose', [blocks], { perm: [0, 3, 5, 1, 2, 4] });
  return c.add('Reshape', [moved], { shape: [n, channels * size * size, height / size, width / size] });
}

function depthToSpace(c: NodeContext): Value {
  const x = c.value(0);
  const size = c.attributes.int('blocksize', 1);
  const [n, channels, height, width] = x.shape as [number, number, number, number];
  const rest = channels / (size * size);
  const columnRow = c.attributes.text('mode', 'DCR') === 'CRD';
  const shape = columnRow ? [n, rest, size, size, height, width] : [n, size, size, rest, height, width];
  const perm = columnRow ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2];
  const moved = c.add('Transpose', [c.add('Reshape', [x], { shape })], { perm });
  return c.add('Reshape', [moved], { shape: [n, rest, height * size, width * size] });
}

function gather(c: NodeContext): Value {
  const [x, indices] = [c.value(0), c.value(1)];
  const axis = axisOf(c, x.shape.length, 0);
  requireInside(c, c.known(1), x.shape[axis]!);
  return c.add('Gather', [x, indices], { axis });
}

/** Operators that change shape, order or number of copies, join and cut, and look elements up. */
export const shapes: TranslationTable = {
  Reshape: reshaped(reshapeTarget),
  Flatten: reshaped(flattenedShape),
  Squeeze: reshaped(squeezedShape),
  Unsqueeze: reshaped(unsqueezedShape),
  Expand: expand,
  Tile: (c) => c.add('Tile', [c.value(0)], { repeats: c.numbers(1) ?? [] }),
  Transpose: transpose,
  Concat: (c) =>
    c.add(
      'Concat',
      c.inputs.map((_, k) => c.value(k)),
      { axis: axisOf(c, c.rank(0), 0) },
    ),
  Split: split,
  Slice: slice,
  Gather: gather,
  SpaceToDepth: spaceToDepth,
  DepthToSpace: depthToSpace,
};
