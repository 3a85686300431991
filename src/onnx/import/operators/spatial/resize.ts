import type { Value } from '../../../../graph/types.js';
import { mixAlong, pickAlong } from '../along-axis.js';
import { resolveAxis } from '../arguments.js';
import type { NodeContext, TranslationTable } from '../../context.js';

/** How one axis changes. */
interface AxisResize {
  readonly axis: number;
  readonly from: number;
  readonly to: number;
  /** Factor that coordinates are divided by: as given, or `to / from`. */
  readonly scale: number;
}

type Coordinate = (place: number, resize: AxisResize) => number;

/** Where an element of the result lies among the elements of the input. */
const coordinates: Readonly<Record<string, Coordinate>> = {
  half_pixel: (place, { scale }) => (place + 0.5) / scale - 0.5,
  pytorch_half_pixel: (place, { to, scale }) => (to > 1 ? (place + 0.5) / scale - 0.5 : 0),
  align_corners: (place, { from, to }) => (to > 1 ? (place * (from - 1)) / (to - 1) : 0),
  asymmetric: (place, { scale }) => place / scale,
  tf_half_pixel_for_nn: (place, { scale }) => (place + 0.5) / scale,
};

const roundings: Readonly<Record<string, (x: number) => number>> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** A choice of the table by the node's attribute. */
function chosen<T>(
  c: NodeContext,
  table: Readonly<Record<string, T>>,
  attribute: string,
  otherwise: string,
): T {
  const name = c.attributes.text(attribute, otherwise);
  const choice = Object.hasOwn(table, name) ? table[name] : undefined;
  return choice ?? c.fail(`${attribute} ${name}`, `${attribute} among ${Object.keys(table).join(', ')}`);
}

/** Extents by `sizes`, or by `scales`; axes that neither names stay. */
function resizedAxes(c: NodeContext, { shape }: Value): AxisResize[] {
  const axes = (c.attributes.ints('axes') ?? [...shape.keys()]).map((axis) =>
    resolveAxis(c, axis, shape.length),
  );
  const [scales, sizes] = [c.numbers(2) ?? [], c.numbers(3) ?? []];
  if ((scales.length > 0 ? scales : sizes).length !== axes.length) {
    c.fail(`${scales.length} scales and ${sizes.length} sizes`, `scales or sizes for ${axes.length} axes`);
  }
  const { examples, exportedExamples } = c.state;
  const resized = axes.map((axis, k): AxisResize => {
    const from = shape[axis]!;
    const isBatch = axis === 0 && from === examples && sizes[k] === exportedExamples;
    const to = isBatch ? from : (sizes[k] ?? Math.floor(from * scales[k]!));
    if (!(Number.isInteger(to) && to > 0)) c.fail(`extent ${to} on axis ${axis}`, 'a positive whole number');
    c.spend(to);
    return { axis, from, to, scale: scales[k] ?? to / from };
  });
  return resized.filter(({ from, to, scale }) => from !== to || scale !== 1);
}

function clamped(place: number, { from }: AxisResize): number {
  return Math.min(Math.max(place, 0), from - 1);
}

/** In float32, as it is done where networks run: 8 / 1.6 is 5, though the stored 1.6 is a little more. */
function placesOf(c: NodeContext, resize: AxisResize): number[] {
  const coordinate = chosen(c, coordinates, 'coordinate_transformation_mode', 'half_pixel');
  return Array.from({ length: resize.to }, (_, place) => Math.fround(coordinate(place, resize)));
}

function nearest(c: NodeContext, x: Value, resize: AxisResize): Value {
  const round = chosen(c, roundings, 'nearest_mode', 'round_prefer_floor');
  const indices = placesOf(c, resize).map((place) => clamped(round(place), resize));
  return pickAlong(c, x, resize.axis, indices);
}

/** Cubic convolution (Keys 1981) with parameter a. */
function cubicWeight(distance: number, a: number): number {
  const d = Math.abs(distance);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

function linearWeight(distance: number): number {
  return Math.max(0, 1 - Math.abs(distance));
}

/** Weights of all elements for one place; what reaches outside counts for the edge, or with `exclude` not at all. */
function weightsAt(
  place: number,
  resize: AxisResize,
  weight: (distance: number) => number,
  exclude: boolean,
): number[] {
  const weights = new Array<number>(resize.from).fill(0);
  const first = Math.floor(place) - 1;
  let total = 0;
  for (let k = first; k < first + 4; k++) {
    if (exclude && clamped(k, resize) !== k) continue;
    weights[clamped(k, resize)]! += weight(place - k);
    total += weight(place - k);
  }
  return exclude ? weights.map((each) => each / total) : weights;
}

function interpolated(
  c: NodeContext,
  x: Value,
  resize: AxisResize,
  weight: (distance: number) => number,
): Value {
  const exclude = c.attributes.int('exclude_outside', 0) === 1;
  const weights = placesOf(c, resize).map((place) => weightsAt(place, resize, weight, exclude));
  return mixAlong(c, x, resize.axis, weights);
}

/** Each axis by itself: the nearest elements are picked, others are sums of neighbours with constant weights. */
function resize(c: NodeContext): Value {
  const a = c.attributes.float('cubic_coeff_a', -0.75);
  const modes: Readonly<Record<string, (x: Value, axis: AxisResize) => Value>> = {
    nearest: (x, axis) => nearest(c, x, axis),
    linear: (x, axis) => interpolated(c, x, axis, linearWeight),
    cubic: (x, axis) => interpolated(c, x, axis, (distance) => cubicWeight(distance, a)),
  };
  const apply = chosen(c, modes, 'mode', 'nearest');
  if (c.attributes.int('antialias', 0) !== 0) c.fail('antialias', 'antialias 0');
  const policy = c.attributes.text('keep_aspect_ratio_policy', 'stretch');
  if (policy !== 'stretch') c.fail(`keep_aspect_ratio_policy ${policy}`, 'stretch');
  const x = c.value(0);
  return resizedAxes(c, x).reduce(apply, x);
}

/** Resize to the nearest element, or by linear or cubic interpolation. */
export const resizing: TranslationTable = { Resize: resize };
