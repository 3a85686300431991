import { broadcastShapes } from '../../../graph/shapes.js';
import type { Shape } from '../../../graph/types.js';
import { sizeOf } from '../../../graph/types.js';
import type { NodeContext } from '../context.js';
import { isStatic, staticTensor, type Operand, type StaticTensor } from '../static-tensor.js';

/** An axis counted from the front. Throws GraphError where there is no such axis. */
export function resolveAxis(context: NodeContext, axis: number, rank: number): number {
  const resolved = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(resolved) && resolved >= 0 && resolved < rank) return resolved;
  return context.fail(`axis ${axis} of a tensor with ${rank} axes`, `an axis in [-${rank}, ${rank - 1}]`);
}

/** Attribute `axis`, counted from the front. Throws GraphError where there is no such axis. */
export function axisOf(context: NodeContext, rank: number, otherwise: number): number {
  return resolveAxis(context, context.attributes.int('axis', otherwise), rank);
}

/** An index counted from the front. Throws GraphError where it is outside. */
export function inside(context: NodeContext, given: number, extent: number): number {
  const index = given < 0 ? given + extent : given;
  return index >= 0 && index < extent
    ? index
    : context.fail(`index ${given} of ${extent}`, 'an index inside');
}

/** Throws GraphError where one of some indices that are known is outside; null: they depend on the data. */
export function requireInside(context: NodeContext, indices: StaticTensor | null, extent: number): void {
  if (indices !== null) for (const given of indices.data) inside(context, given, extent);
}

/**
 * Axes of a reduction: attribute `axes`, or input `index`; all where they are missing or empty. Throws GraphError where
 * there is no such axis.
 */
export function axesOf(context: NodeContext, rank: number, index: number): number[] {
  const given = context.intsOf('axes', index) ?? [];
  if (given.length > 0) return given.map((axis) => resolveAxis(context, axis, rank));
  const none = context.attributes.int('noop_with_empty_axes', 0) === 1;
  return none ? [] : Array.from({ length: rank }, (_, axis) => axis);
}

/** A shape with 0 and -1 resolved. */
function resolved(context: NodeContext, given: readonly number[], from: Shape): number[] {
  const copies = context.attributes.int('allowzero', 0) === 0;
  const target = given.map((extent, axis) => (extent === 0 && copies ? (from[axis] ?? 0) : extent));
  const open = target.indexOf(-1);
  if (open >= 0) target[open] = sizeOf(from) / sizeOf(target.filter((_, axis) => axis !== open));
  return target;
}

/**
 * The shape that a Reshape gives to a tensor of shape `from`, with 0 and -1 resolved. Throws GraphError where it has
 * another number of elements.
 */
export function reshapeTarget(context: NodeContext, from: Shape): number[] {
  const given = context.numbers(1) ?? [];
  const target = context.state.batch?.reshaped(context.node, from, given) ?? resolved(context, given, from);
  if (target.every((extent) => Number.isInteger(extent) && extent >= 0) && sizeOf(target) === sizeOf(from)) {
    return target;
  }
  return context.fail(
    `shape [${given.join(', ')}] for ${sizeOf(from)} elements [${from.join(', ')}]`,
    'a shape of as many elements',
    'export the model with a symbolic batch axis',
  );
}

/** The shape that a Flatten gives to a tensor of shape `from`. */
export function flattenedShape(context: NodeContext, from: Shape): number[] {
  const given = context.attributes.int('axis', 1);
  const axis = given < 0 ? given + from.length : given;
  return [sizeOf(from.slice(0, axis)), sizeOf(from.slice(axis))];
}

/**
 * The shape that a Squeeze gives to a tensor of shape `from`. Without axes, that of the examples stays where a chunk has one, as it does where
 * it has more. Throws GraphError where an axis to drop is longer than 1.
 */
export function squeezedShape(context: NodeContext, from: Shape): number[] {
  const given = context.intsOf('axes', 1);
  if (given === undefined) {
    const { examples, producers } = context.state;
    const isOfOne = examples === 1 && !isStatic(context.operand(0)) && producers.has(context.node.input[0]!);
    return from.filter((extent, axis) => extent !== 1 || (isOfOne && axis === 0));
  }
  const axes = given.map((axis) => resolveAxis(context, axis, from.length));
  if (axes.some((axis) => from[axis] !== 1))
    context.fail(`shape [${from.join(', ')}]`, 'extent 1 on the axes to drop');
  return from.filter((_, axis) => !axes.includes(axis));
}

/**
 * The shape that an Unsqueeze gives to a tensor of shape `from`. Throws GraphError where an axis does not
 * exist or comes twice.
 */
export function unsqueezedShape(context: NodeContext, from: Shape): number[] {
  const given = context.intsOf('axes', 1) ?? [];
  const rank = from.length + given.length;
  const axes = new Set(given.map((axis) => resolveAxis(context, axis, rank)));
  if (axes.size !== given.length) context.fail(`axes [${given.join(', ')}]`, 'distinct axes');
  const rest = [...from];
  return Array.from({ length: rank }, (_, axis) => (axes.has(axis) ? 1 : rest.shift()!));
}

/** The shape argument of Expand, in which the exported number of examples on axis 0 means the batch. */
export function expandTarget(context: NodeContext): number[] {
  const [first, ...rest] = context.numbers(1) ?? [];
  const { batch, examples } = context.state;
  if (first === undefined) return [];
  return [rest.length > 0 && first === batch?.exported ? examples : first, ...rest];
}

/**
 * What an Expand copies, and to which shape; null where they do not fit. A constant of one number throughout fits any shape of as many
 * axes: so PyTorch writes the first states of packed sequences, zeros of as many examples as it exported with.
 */
export function expansion(context: NodeContext): { readonly from: Operand; readonly shape: number[] } | null {
  const from = context.operand(0);
  const target = expandTarget(context);
  const shape = broadcastShapes(from.shape, target);
  if (shape !== null) return { from, shape: [...shape] };
  if (!isStatic(from) || from.shape.length !== target.length) return null;
  const [first] = from.data;
  if (first === undefined || from.data.some((number) => number !== first)) return null;
  return { from: staticTensor(from.dtype, target.map(() => 1), [first]), shape: target }; // prettier-ignore
}

/** What a Slice takes of one axis. */
export interface AxisSlice {
  readonly start: number;
  readonly step: number;
  readonly extent: number;
}

/** What a Slice takes of each axis. Throws GraphError where the lists do not fit each other. */
export function sliceAxes(context: NodeContext, from: Shape): AxisSlice[] {
  const starts = context.numbers(1) ?? [];
  const ends = context.numbers(2) ?? [];
  const axes = context.numbers(3) ?? [...starts.keys()];
  const steps = context.numbers(4) ?? starts.map(() => 1);
  if ([ends, axes, steps].some((list) => list.length !== starts.length) || steps.includes(0)) {
    context.fail(`starts [${starts.join(', ')}]`, 'starts, ends, axes and steps of one length, no step 0');
  }
  const result: AxisSlice[] = from.map((extent) => ({ start: 0, step: 1, extent }));
  for (const [k, given] of axes.entries()) {
    const axis = resolveAxis(context, given, from.length);
    result[axis] = along(from[axis]!, starts[k]!, ends[k]!, steps[k]!);
  }
  return result;
}

/** One axis of a Slice, with ONNX's clamping of what lies outside. */
function along(extent: number, start: number, end: number, step: number): AxisSlice {
  const [low, high] = step > 0 ? [0, extent] : [-1, extent - 1];
  const clamp = (place: number): number => Math.min(Math.max(place < 0 ? place + extent : place, low), high);
  const first = clamp(start);
  return { start: first, step, extent: Math.max(0, Math.ceil((clamp(end) - first) / step)) };
}
