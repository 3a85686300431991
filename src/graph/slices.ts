import type { Application } from './application.js';
import { inputOf, misfit } from './application.js';
import { intsAttribute, resolveAxis } from './attributes.js';
import type { Shape } from './types.js';

/** A Slice or Pad resolved to one entry per axis. */
export interface Slicing {
  /** First index taken. */
  readonly starts: readonly number[];
  /** Never 0; negative steps walk backwards. */
  readonly steps: readonly number[];
  /** Extents of the result. */
  readonly extents: Shape;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

/** Start and number of elements along one axis, with ONNX's clamping of what lies outside. */
function along(extent: number, start: number, end: number, step: number): readonly [number, number] {
  const from = start < 0 ? start + extent : start;
  const to = end < 0 ? end + extent : end;
  const first = step > 0 ? clamp(from, 0, extent) : clamp(from, -1, extent - 1);
  const last = step > 0 ? clamp(to, 0, extent) : clamp(to, -1, extent - 1);
  return [first, Math.max(0, Math.ceil((last - first) / step))];
}

/**
 * Attributes `starts`, `ends`, `axes` and `steps` of a Slice node, resolved. Throws GraphError where they do not fit the
 * input.
 */
export function slicingOf(node: Application): Slicing {
  const { shape } = inputOf(node, 0);
  const starts = intsAttribute(node, 'starts');
  const ends = intsAttribute(node, 'ends');
  const axes = intsAttribute(
    node,
    'axes',
    starts.map((_, k) => k),
  );
  const given = intsAttribute(
    node,
    'steps',
    starts.map(() => 1),
  );
  if ([ends, axes, given].some((list) => list.length !== starts.length) || given.includes(0)) {
    throw misfit(node, 'starts, ends, axes and steps of one length, no step 0');
  }
  const result = { starts: shape.map(() => 0), steps: shape.map(() => 1), extents: [...shape] };
  for (const [k, axis] of axes.entries()) {
    const resolved = resolveAxis(node, axis, shape.length);
    const [start, extent] = along(shape[resolved]!, starts[k]!, ends[k]!, given[k]!);
    result.starts[resolved] = start;
    result.steps[resolved] = given[k]!;
    result.extents[resolved] = extent;
  }
  return result;
}

/**
 * Attribute `pads` of a Pad node as [begin, end] of each axis; negative entries cut off. Throws GraphError where there
 * are not 2 · rank of them.
 */
export function paddingOf(node: Application): readonly (readonly [begin: number, end: number])[] {
  const { shape } = inputOf(node, 0);
  const pads = intsAttribute(node, 'pads');
  if (pads.length !== 2 * shape.length) throw misfit(node, `pads of ${2 * shape.length} integers`);
  return shape.map((_, axis) => [pads[axis]!, pads[axis + shape.length]!]);
}
