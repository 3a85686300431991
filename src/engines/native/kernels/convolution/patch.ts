import type { Fused } from '../../emit/fused.js';
import type { Expression } from '../../plan/expression.js';
import type { Extent, Tap } from './gather.js';

/** The part of an input that a band of rows reads. */
export interface PatchShape {
  readonly channels: number;
  readonly input: Extent;
  readonly strideY: number;
  readonly strideX: number;
  /** Smallest offsets of any tap. */
  readonly top: number;
  readonly left: number;
  /** Rows between the first and the last row that one position reads, both counted; likewise columns. */
  readonly reachY: number;
  readonly reachX: number;
  /** Positions of the grid. */
  readonly rows: number;
  readonly columns: number;
}

export function patchShape(
  channels: number,
  input: Extent,
  strides: { readonly strideY: number; readonly strideX: number },
  grid: { readonly rows: number; readonly columns: number },
  taps: readonly Tap[],
): PatchShape {
  // Where no window reaches the input, nothing is read.
  const [dy, dx] = taps.length > 0 ? [taps.map((tap) => tap.dy), taps.map((tap) => tap.dx)] : [[0], [0]];
  const top = Math.min(...dy);
  const left = Math.min(...dx);
  return {
    channels,
    input,
    strideY: strides.strideY,
    strideX: strides.strideX,
    top,
    left,
    reachY: Math.max(...dy) - top + 1,
    reachX: Math.max(...dx) - left + 1,
    ...grid,
  };
}

/** How a kernel reads the patch of a band. */
export interface PatchAccess {
  readonly channelStride: number;
  readonly rowStride: number;
  /** Rows and columns from one position to the next. */
  readonly stepY: number;
  readonly stepX: number;
  /** Code that fills the patch for the band that starts at row `m0`, if any. */
  readonly fill: string;
  /** C expression of the patch's first vector: channel 0, the first row and column that any tap reads. */
  readonly origin: string;
}

/** Rows, or columns, from one position's to the next one's in a copy, which leaves out those that no position reads. */
const stepOf = (stride: number, reach: number): number => Math.min(stride, reach);

function bandRows({ strideY, reachY }: PatchShape, band: number): number {
  return (band - 1) * stepOf(strideY, reachY) + reachY;
}

function patchWidth({ strideX, reachX, columns }: PatchShape): number {
  return (columns - 1) * stepOf(strideX, reachX) + reachX;
}

/** Odd, so that a row of several channels does not fall into the same few cache sets. */
function channelStride(shape: PatchShape, band: number): number {
  return (bandRows(shape, band) * patchWidth(shape)) | 1;
}

/** Vectors that a patch of `band` rows takes. */
export function patchVectors(shape: PatchShape, band: number): number {
  return shape.channels * channelStride(shape, band);
}

/** True where no position reads outside the input, so that an input that lies in memory needs no copy. */
export function staysInside(shape: PatchShape): boolean {
  return (
    shape.top >= 0 &&
    shape.left >= 0 &&
    shape.top + (shape.rows - 1) * shape.strideY + shape.reachY <= shape.input.height &&
    shape.left + (shape.columns - 1) * shape.strideX + shape.reachX <= shape.input.width
  );
}

/** Reads the input where it lies. `base` is the C expression of a group's first vector. */
export function directPatch(shape: PatchShape, base: string): PatchAccess {
  const { width, height } = shape.input;
  return {
    channelStride: height * width,
    rowStride: width,
    stepY: shape.strideY,
    stepX: shape.strideX,
    fill: '',
    origin: `(${base} + (m0 * ${shape.strideY} + ${shape.top}) * ${width} + ${shape.left})`,
  };
}

/** Where a row, or column, of a copy lies in the input, from the first one on. */
function placeOf(index: string, stride: number, reach: number): string {
  if (stride <= reach) return index;
  return reach === 1 ? `${index} * ${stride}` : `(${index} / ${reach} * ${stride} + ${index} % ${reach})`;
}

/** Copies what is read of the input into `patch`, with zeros outside; the expression is evaluated on the way. */
export function copiedPatch(
  shape: PatchShape,
  band: number,
  patch: string,
  fused: Fused,
  expression: Expression,
): PatchAccess {
  const rows = bandRows(shape, band);
  const width = patchWidth(shape);
  const { input, left, strideX, strideY, reachX, reachY } = shape;
  const columnOf = (q: number): number =>
    strideX <= reachX ? q : Math.floor(q / reachX) * strideX + (q % reachX);
  const inside = Array.from({ length: width }, (_, q) => left + columnOf(q)).map(
    (column) => column >= 0 && column < input.width,
  );
  const first = inside.includes(true) ? inside.indexOf(true) : width;
  const last = Math.max(first, inside.lastIndexOf(true) + 1);
  const zeros = (from: number, to: number): string =>
    from < to ? `for (long q = ${from}; q < ${to}; q++) to[q] = (v){0};` : '';
  return {
    channelStride: channelStride(shape, band),
    rowStride: width,
    stepY: stepOf(strideY, reachY),
    stepX: stepOf(strideX, reachX),
    origin: patch,
    fill: `for (long c = 0; c < ${shape.channels}; c++) {
      ${fused.channelLocals('c')}
      for (long r = 0; r < ${rows}; r++) {
        v *const to = ${patch} + c * ${channelStride(shape, band)} + r * ${width};
        const long row = m0 * ${strideY} + ${placeOf('r', strideY, reachY)} + ${shape.top};
        if (row < 0 || row >= ${input.height}) {
          ${zeros(0, width)}
          continue;
        }
        const long e = c * ${input.height * input.width} + row * ${input.width} + ${left};
        ${zeros(0, first)}
        for (long q = ${first}; q < ${last}; q++) to[q] = ${fused.value(expression, `e + ${placeOf('q', strideX, reachX)}`)};
        ${zeros(last, width)}
      }
    }`,
  };
}
