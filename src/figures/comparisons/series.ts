import type { LineStyle } from '../objectives.js';
import type { LegendEntry } from '../plots/canvas.js';
import { shortNames } from '../text.js';
import { markers } from '../themes/drawing.js';
import type { Palette } from '../theme.js';

/** How one run, setting or method is drawn: colour, dashes and symbol tell it from the others. */
export interface SeriesStyle {
  readonly label: string;
  readonly symbol: keyof typeof markers;
  readonly path: string;
  /** Symbols are filled with their colour, every second round of them is open. */
  readonly filled: boolean;
  readonly line: LineStyle;
}

/** Series at most: more could not be told apart. */
export const seriesLimit = 7;
const longestLabel = 26;
const dashes = [undefined, '6 3', '2 3', '10 3 2 3'];

/** Styles of series with these names, `seriesLimit` at most. */
export function seriesStyles(names: readonly string[], palette: Palette): SeriesStyle[] {
  const symbols = Object.keys(markers) as (keyof typeof markers)[];
  return shortNames(names.slice(0, seriesLimit), longestLabel).map((label, i) => {
    const symbol = symbols[i % symbols.length]!;
    const dash = dashes[i % dashes.length];
    return {
      label,
      symbol,
      path: markers[symbol],
      filled: i < symbols.length,
      line: {
        stroke: palette.layers[i % palette.layers.length]!,
        strokeWidth: 1.75,
        ...(dash === undefined ? {} : { strokeDasharray: dash }),
      },
    };
  });
}

/** Keys of a legend: symbols, or lines. */
export function seriesKeys(styles: readonly SeriesStyle[], kind: 'symbol' | 'line'): LegendEntry[] {
  return styles.map(({ label, path, filled, line }) => ({
    label,
    colour: line.stroke,
    kind,
    ...(kind === 'symbol' ? { path, filled } : { dash: line.strokeDasharray }),
  }));
}

/** Says, where not all series are drawn, how many are; begins with a space. */
export function seriesNote(count: number): string {
  if (count <= seriesLimit) return '';
  return ` Shown: ${seriesLimit} of ${count}; the numbers of all are in the CSV file.`;
}
