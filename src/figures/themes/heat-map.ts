import type { Canvas, LegendEntry } from '../plots/canvas.js';
import { fontSize } from '../plots/canvas.js';
import { escapeMarkup } from '../text.js';

/** Signed cells in rows from the top, in one of two pairs of colours. */
export interface HeatMap {
  /** [rows][columns]. */
  readonly cells: readonly (readonly number[])[];
  /** Magnitude of the deepest colour; the same for pictures that are compared. */
  readonly largest: number;
  /** Default: helping below zero, hurting above. */
  readonly colours?: readonly [below: string, above: string];
}

export interface Frame {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const depths = 8;
/** Part of a cell's width that is filled where its value is above zero: sign is not told by colour alone. */
const narrow = 0.5;

/** Depth of a colour from 1 to 8 by the square root of the magnitude, so that small ones are seen; 0 for none. */
function depthOf(value: number, largest: number): number {
  if (value === 0 || largest === 0) return 0;
  return Math.min(depths, Math.max(1, Math.ceil(depths * Math.sqrt(Math.abs(value) / largest))));
}

/** Outlines of all cells by signed depth, in cells' units; neighbours of a row below zero are joined. */
function outlinesOf({ cells, largest }: HeatMap): Map<number, string> {
  const paths = new Map<number, string>();
  const add = (depth: number, path: string): void => {
    paths.set(depth, `${paths.get(depth) ?? ''}${path}`);
  };
  cells.forEach((row, y) => {
    const own = row.map((value) => Math.sign(value) * depthOf(value, largest));
    for (let x = 0; x < own.length;) {
      const depth = own[x]!;
      let to = x + 1;
      while (depth < 0 && own[to] === depth) to++;
      if (depth < 0) add(depth, `M${x},${y}h${to - x}v1h${x - to}z`);
      if (depth > 0) add(depth, `M${x + (1 - narrow) / 2},${y}h${narrow}v1h-${narrow}z`);
      x = to;
    }
  });
  return paths;
}

/** One picture in a frame, as SVG. */
export function drawHeatMap({ palette }: Canvas, map: HeatMap, { x, y, width, height }: Frame): string {
  const [rows, columns] = [map.cells.length, map.cells[0]?.length ?? 0];
  const [below, above] = map.colours ?? [palette.helping, palette.hurting];
  const paths = [...outlinesOf(map)].map(
    ([depth, path]) => `<path d="${path}" fill="${depth < 0 ? below : above}" fill-opacity="${Math.abs(depth) / depths}"/>`,
  );
  const scale = `scale(${(width / Math.max(1, columns)).toFixed(4)},${(height / Math.max(1, rows)).toFixed(4)})`;
  return (
    `<g transform="translate(${x.toFixed(1)},${y.toFixed(1)})"><rect width="${width.toFixed(1)}" height="${height.toFixed(1)}" fill="none" stroke="${palette.zero}"/>` +
    `<g transform="${scale}">${paths.join('')}</g></g>`
  );
} // prettier-ignore

/** Keys of the two signs. */
export const heatLegend = ({ palette }: Canvas): LegendEntry[] => [
  { label: 'helped (full cells)', colour: palette.helping, kind: 'area' },
  { label: 'hurt (narrow cells)', colour: palette.hurting, kind: 'area' },
];

/** Text of a figure that is drawn by hand. */
export function label(
  text: string,
  x: number,
  y: number,
  { anchor = 'start', size = fontSize - 2 }: { anchor?: 'start' | 'middle' | 'end'; size?: number } = {},
): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" font-size="${size}" text-anchor="${anchor}">${escapeMarkup(text)}</text>`;
}
