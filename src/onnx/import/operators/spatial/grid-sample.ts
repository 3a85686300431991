import type { Value } from '../../../../graph/types.js';
import type { NodeContext, TranslationTable } from '../../context.js';

const add = (c: NodeContext, a: Value, b: Value | number): Value =>
  c.add('Add', [a, typeof b === 'number' ? c.scalar(b) : b]);
const sub = (c: NodeContext, a: Value, b: Value | number): Value =>
  c.add('Sub', [a, typeof b === 'number' ? c.scalar(b) : b]);
const mul = (c: NodeContext, a: Value, b: Value | number): Value =>
  c.add('Mul', [a, typeof b === 'number' ? c.scalar(b) : b]);

/** The whole part of numbers from 0 on, a constant to gradients. */
function floor(c: NodeContext, x: Value): Value {
  return c.cast(c.cast(x, 'int32'), 'float32');
}

/** The nearest whole number of numbers from −1 on, halves to the even one, as a constant. */
function nearest(c: NodeContext, x: Value): Value {
  const rounded = sub(c, floor(c, add(c, x, 1.5)), 1);
  const shifted = add(c, rounded, 2);
  const isOdd = c.add('Greater', [sub(c, shifted, mul(c, floor(c, mul(c, shifted, 0.5)), 2)), c.scalar(0.5)]);
  const over = sub(c, rounded, x);
  const isTie = c.add('And', [c.add('Equal', [over, c.scalar(0.5)]), isOdd]);
  const isTooFar = c.add('Or', [c.add('Greater', [over, c.scalar(0.5)]), isTie]);
  return sub(c, rounded, c.cast(isTooFar, 'float32'));
}

/** Mirrors coordinates at `low` and `low + span` until they are between them. */
function reflected(c: NodeContext, x: Value, low: number, span: number): Value {
  if (span === 0) return mul(c, x, 0);
  const distance = c.add('Abs', [sub(c, x, low)]);
  const turns = floor(c, c.add('Clip', [mul(c, distance, 1 / (2 * span))], { min: 0, max: 2 ** 24 }));
  const within = sub(c, distance, mul(c, turns, 2 * span));
  return add(c, c.add('Neg', [c.add('Abs', [sub(c, within, span)])]), span + low);
}

/** Where numbers of a grid from −1 to 1 lie along an axis of `extent` pixels, moved inside as the padding says; without, at most one pixel outside. */
function placesOf(c: NodeContext, grid: Value, extent: number): Value {
  const aligned = c.attributes.int('align_corners', 0) === 1;
  const scale = (aligned ? extent - 1 : extent) / 2;
  const place = add(c, mul(c, add(c, grid, 1), scale), aligned ? 0 : -0.5);
  const padding = c.attributes.text('padding_mode', 'zeros');
  const clip = (x: Value, min: number, max: number): Value => c.add('Clip', [x], { min, max });
  if (padding === 'zeros') return clip(place, -1, extent);
  if (padding === 'border') return clip(place, 0, extent - 1);
  if (padding !== 'reflection')
    return c.fail(`padding_mode ${padding}`, 'padding_mode among zeros, border, reflection');
  const turned = aligned ? reflected(c, place, 0, extent - 1) : reflected(c, place, -0.5, extent);
  return clip(turned, 0, extent - 1);
}

/** Whole places along one axis that an element is made of, and how much each counts; places are constants to gradients. */
type Shares = readonly (readonly [place: Value, weight: Value | null])[];

function sharesOf(c: NodeContext, place: Value): Shares {
  const mode = c.attributes.text('mode', 'linear');
  if (mode === 'nearest') return [[nearest(c, place), null]];
  if (mode !== 'linear' && mode !== 'bilinear')
    return c.fail(`mode ${mode}`, 'mode among linear (bilinear), nearest');
  const first = sub(c, floor(c, add(c, place, 1)), 1);
  const weight = sub(c, place, first);
  return [
    [first, sub(c, c.scalar(1), weight)],
    [add(c, first, 1), weight],
  ];
}

/** Pixels [N · (H+3) · (W+3), C], with one row and column of zeros in front, two behind. */
function paddedPixels(c: NodeContext, image: Value): Value {
  const [n, channels, height, width] = image.shape as [number, number, number, number];
  const padded = c.add('Pad', [image], { pads: [0, 0, 1, 1, 0, 0, 2, 2] });
  const last = c.add('Transpose', [padded], { perm: [0, 2, 3, 1] });
  return c.add('Reshape', [last], { shape: [n * (height + 3) * (width + 3), channels] });
}

/** One coordinate [N, P] of a grid [N, H', W', 2]. */
function coordinate(c: NodeContext, grid: Value, k: number): Value {
  const [n, height, width] = grid.shape as [number, number, number];
  const own = c.add('Slice', [grid], { starts: [k], ends: [k + 1], axes: [3], steps: [1] });
  return c.add('Reshape', [own], { shape: [n, height * width] });
}

/** Which row of the padded pixels is at whole places down and across [N, P], as int64. */
function rowsOf(
  c: NodeContext,
  down: Value,
  across: Value,
  [height, width]: readonly [number, number],
): Value {
  const whole = (x: Value): Value => c.cast(add(c, x, 1), 'int64');
  const n = down.shape[0]!;
  const starts = Array.from({ length: n }, (_, k) => k * (height + 3) * (width + 3));
  const own = c.add('Add', [mul(c, whole(down), c.scalar(width + 3, 'int64')), whole(across)]);
  return c.add('Add', [own, c.state.builder.constant(starts, [n, 1], 'int64', 'starts')]);
}

/** Pixels [N, C, H', W'] of images [N, C, H, W] at the places of a grid [N, H', W', 2], with gradients to both. */
function gridSample(c: NodeContext): Value {
  const [image, grid] = [c.value(0), c.value(1)];
  if (image.shape.length !== 4 || grid.shape.length !== 4 || grid.shape[3] !== 2)
    c.fail(`an image of ${image.shape.length} axes and a grid of ${grid.shape.length}`, 'two spatial axes');
  const [n, channels, height, width] = image.shape as [number, number, number, number];
  const [, rows, columns] = grid.shape as [number, number, number];
  const pixels = paddedPixels(c, image);
  const across = sharesOf(c, placesOf(c, coordinate(c, grid, 0), width));
  const down = sharesOf(c, placesOf(c, coordinate(c, grid, 1), height));
  const terms = down.flatMap(([y, ofY]) =>
    across.map(([x, ofX]) => {
      const found = c.add('Gather', [pixels, rowsOf(c, y, x, [height, width])], { axis: 0 });
      if (ofY === null || ofX === null) return found;
      return mul(c, found, c.add('Reshape', [mul(c, ofY, ofX)], { shape: [n, rows * columns, 1] }));
    }),
  );
  const sum = terms.reduce((all, term) => add(c, all, term));
  const first = c.add('Transpose', [sum], { perm: [0, 2, 1] });
  return c.add('Reshape', [first], { shape: [n, channels, rows, columns] });
}

/** Numbers from −1 to 1 that count the pixels of an axis: its corners, or the middles of its pixels. */
function ticks(extent: number, aligned: boolean): number[] {
  return Array.from({ length: extent }, (_, k) =>
    aligned ? (extent === 1 ? 0 : (2 * k) / (extent - 1) - 1) : (2 * k + 1) / extent - 1,
  );
}

/** The grid [N, H, W, 2] that affine maps [N, 2, 3] give for images of `size` [N, C, H, W]. */
function affineGrid(c: NodeContext): Value {
  const theta = c.value(0);
  const size = c.numbers(1) ?? [];
  if (size.length !== 4 || theta.shape.join() !== [theta.shape[0], 2, 3].join())
    c.fail(
      `maps [${theta.shape.join(', ')}] and a size of ${size.length} axes`,
      'maps [N, 2, 3] and two spatial axes',
    );
  const [height, width] = size.slice(2) as [number, number];
  const aligned = c.attributes.int('align_corners', 0) === 1;
  c.spend(3 * height * width);
  const [across, down] = [ticks(width, aligned), ticks(height, aligned)];
  const base = down.flatMap((y) => across.flatMap((x) => [x, y, 1]));
  const places = c.state.builder.constant(base, [1, height * width, 3], 'float32', 'places');
  const turned = c.add('Transpose', [theta], { perm: [0, 2, 1] });
  const grid = c.add('MatMul', [places, turned]);
  return c.add('Reshape', [grid], { shape: [theta.shape[0]!, height, width, 2] });
}

/** Sampling images at places that the network computes. */
export const gridSampling: TranslationTable = { GridSample: gridSample, AffineGrid: affineGrid };
