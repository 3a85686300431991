/** A run of tiles of one size. */
export interface Segment {
  readonly start: number;
  readonly size: number;
  readonly count: number;
}

/** `total` cut into as few tiles of at most `largest` as possible, with sizes that differ by one at most, larger first. */
export function splitEvenly(total: number, largest: number): Segment[] {
  const count = Math.ceil(total / largest);
  const size = Math.floor(total / count);
  const extra = total - size * count;
  const segments = [
    { start: 0, size: size + 1, count: extra },
    { start: extra * (size + 1), size, count: count - extra },
  ];
  return segments.filter((segment) => segment.count > 0);
}

/** A loop over the starts of a segment's tiles, or a block that declares the start where there is only one. */
function tileLoop(variable: string, segment: Segment, body: string): string {
  const { start, size, count } = segment;
  const head =
    count === 1
      ? `{ const long ${variable} = ${start};`
      : `for (long ${variable} = ${start}; ${variable} < ${start + size * count}; ${variable} += ${size}) {`;
  return `${head}\n${body}\n}`;
}

/** The tile loops of all segments, one after the other. */
export function tileLoops(
  variable: string,
  segments: readonly Segment[],
  body: (size: number) => string,
): string {
  return segments.map((segment) => tileLoop(variable, segment, body(segment.size))).join('\n');
}

/** As `tileLoops`, but only those tiles that lie between the C variables `low` and `high`, which are starts of tiles. */
export function tilesWithin(
  variable: string,
  segments: readonly Segment[],
  body: (size: number) => string,
): string {
  const loop = ({ start, size, count }: Segment): string =>
    `for (long ${variable} = larger(low, ${start}), end = smaller(high, ${start + size * count}); ${variable} < end; ${variable} += ${size}) {
      ${body(size)}
    }`;
  return segments.map(loop).join('\n');
}

/** All pairs below two bounds, the first index slowest. */
export function pairs(rows: number, columns: number): [number, number][] {
  return Array.from({ length: rows * columns }, (_, k) => [Math.floor(k / columns), k % columns]);
}
