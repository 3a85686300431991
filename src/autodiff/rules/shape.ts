import { axisAttribute, intsAttribute } from '../../graph/attributes.js';
import { paddingOf, slicingOf } from '../../graph/slices.js';
import type { Value } from '../../graph/types.js';
import type { Backward, GradientRule, GradientRules } from '../backward.js';

const reshapeBack: GradientRule = (step) => [step.reshape(step.dy, step.input(0).shape)];

function transpose(step: Backward): Value[] {
  const perm = intsAttribute(step.node, 'perm', [...step.dy.shape.keys()].reverse());
  const inverse = perm.map((_, axis) => perm.indexOf(axis));
  return [step.apply('Transpose', [step.dy], { perm: inverse })];
}

/** Each axis becomes a pair (copies, extent), and the copies are summed. */
function tile(step: Backward): Value[] {
  const { shape } = step.input(0);
  const repeats = intsAttribute(step.node, 'repeats');
  const divided: number[] = [];
  const copies: number[] = [];
  for (const [axis, extent] of shape.entries()) {
    if (repeats[axis] !== 1) copies.push(divided.push(repeats[axis]!) - 1);
    divided.push(extent);
  }
  return copies.length === 0 ? [step.dy] : [step.sum(step.reshape(step.dy, divided), copies)];
}

function concat(step: Backward): readonly Value[] {
  const axis = axisAttribute(step.node, step.dy.shape.length, 0);
  const split = step.node.inputs.map((_, k) => step.input(k).shape[axis]!);
  return step.all('Split', [step.dy], { axis, split });
}

function split(step: Backward): Value[] {
  const parts = step.node.outputs.map((value, k) => step.gradients[k] ?? step.zeros(value.shape));
  const axis = axisAttribute(step.node, step.input(0).shape.length, 0);
  return [step.apply('Concat', parts, { axis })];
}

/** Along axes with a step, a Slice is a Gather of constant indices; along the others, its gradient is a Pad. */
function slice(step: Backward): Value[] {
  const { shape } = step.input(0);
  const { starts, steps, extents } = slicingOf(step.node);
  const plain = shape.map((_, axis) => steps[axis] === 1);
  const begins = shape.map((_, axis) => (plain[axis] ? starts[axis]! : 0));
  const ends = shape.map((extent, axis) => (plain[axis] ? extent - starts[axis]! - extents[axis]! : 0));
  const pads = [...begins, ...ends];
  let dx = pads.some((pad) => pad !== 0) ? step.apply('Pad', [step.dy], { pads }) : step.dy;
  for (const [axis, extent] of shape.entries()) {
    if (plain[axis]) continue;
    const picked = Array.from({ length: extents[axis]! }, (_, k) => starts[axis]! + k * steps[axis]!);
    const indices = step.builder.constant(picked, [picked.length], 'int64', 'indices');
    const input_shape = dx.shape.map((old, k) => (k === axis ? extent : old));
    dx = step.apply('GatherGrad', [dx, indices], { axis, input_shape });
  }
  return [dx];
}

function pad(step: Backward): Value[] {
  const padding = paddingOf(step.node);
  const pads = [...padding.map(([begin]) => -begin), ...padding.map(([, end]) => -end)];
  return [step.apply('Pad', [step.dy], { pads })];
}

function gather(step: Backward): (Value | null)[] {
  const { shape } = step.input(0);
  const attributes = { axis: axisAttribute(step.node, shape.length, 0), input_shape: shape };
  return [step.apply('GatherGrad', [step.dy, step.input(1)], attributes), null];
}

/** Operators that move, join, cut and look up elements. */
export const shapes: GradientRules = {
  Reshape: reshapeBack,
  Flatten: reshapeBack,
  Squeeze: reshapeBack,
  Unsqueeze: reshapeBack,
  Transpose: transpose,
  Expand: (step) => [step.unbroadcast(step.dy, step.input(0).shape)],
  Tile: tile,
  Concat: concat,
  Split: split,
  Slice: slice,
  Pad: pad,
  Gather: gather,
};
