import { type Palette as FigurePalette, palettes as figures } from 'lossledger/theme';

/** Colours by meaning, those of the figures of reports and what a page needs besides. */
export interface Palette extends Omit<FigurePalette, 'background' | 'objectives' | 'layers'> {
  readonly line: string;
  readonly panel: string;
  readonly series: readonly string[];
  /** Stops of a heat map's scale: helping from strong to weak, neither, hurting from weak to strong. */
  readonly diverging: readonly string[];
}

function paletteOf(own: FigurePalette, page: Pick<Palette, 'line' | 'panel' | 'diverging'>): Palette {
  const { text, muted, helping, hurting, zero, good, bad, layers } = own;
  return { text, muted, helping, hurting, zero, good, bad, series: [...layers, muted], ...page };
}

export const palettes = {
  light: paletteOf(figures.light, {
    line: '#dfe3e8',
    panel: '#ffffff',
    diverging: [
      '#053b66',
      figures.light.helping,
      '#7fbbe0',
      '#f1f2f4',
      '#f3b184',
      figures.light.hurting,
      '#7a2f00',
    ],
  }),
  dark: paletteOf(figures.dark, {
    line: '#2a323d',
    panel: '#151a21',
    diverging: [
      '#c4e8ff',
      figures.dark.helping,
      '#1f5f88',
      '#20262f',
      '#8a4a22',
      figures.dark.hurting,
      '#ffd9bd',
    ],
  }),
} as const;

/** Gives the style its colours. */
export function applyTheme(theme: 'light' | 'dark', { dataset, style } = document.documentElement): void {
  dataset['theme'] = theme;
  for (const [name, value] of Object.entries(palettes[theme]) as [string, string | readonly string[]][])
    if (typeof value === 'string') style.setProperty(`--${name}`, value);
}

/** The theme in force: what the user chose here, else what the system prefers. */
export function themeOf(choice: 'auto' | 'light' | 'dark', prefersDark: boolean): 'light' | 'dark' {
  return choice === 'auto' ? (prefersDark ? 'dark' : 'light') : choice;
}

/** Colours [count, 4] in bytes, evenly between stops. */
export function lookUpTable(stops: readonly string[], count = 256): Uint8Array {
  const rgb = stops.map((stop) => [1, 3, 5].map((at) => parseInt(stop.slice(at, at + 2), 16)));
  const table = new Uint8Array(4 * count);
  for (let k = 0; k < count; k++) {
    const place = (k / (count - 1)) * (stops.length - 1);
    const left = Math.min(stops.length - 2, Math.floor(place));
    const weight = place - left;
    for (let c = 0; c < 3; c++)
      table[4 * k + c] = rgb[left]![c]! * (1 - weight) + rgb[left + 1]![c]! * weight;
    table[4 * k + 3] = 255;
  }
  return table;
}

/** How values become places in a colour scale, −1 … 1. */
export type ScaleKind = 'linear' | 'root';

export function placeInScale(value: number, range: number, kind: ScaleKind): number {
  if (!(range > 0)) return 0;
  const part = Math.max(-1, Math.min(1, value / range));
  return kind === 'root' ? Math.sign(part) * Math.sqrt(Math.abs(part)) : part;
}

/** The colour of one value, as CSS has it; by a table of `lookUpTable`. */
export function colourOf(value: number, range: number, kind: ScaleKind, table: Uint8Array): string {
  const count = table.length / 4;
  const at = 4 * Math.round(((placeInScale(value, range, kind) + 1) / 2) * (count - 1));
  return `rgb(${table[at]!}, ${table[at + 1]!}, ${table[at + 2]!})`;
}

/** The size that all but a few in ten thousand values stay below, by a sample of them; a scale is not ruled by one outlier. */
export function usualSize(values: ArrayLike<number>, quantile = 0.9998): number {
  const step = Math.max(1, Math.floor(values.length / 30_000));
  const count = Math.ceil(values.length / step);
  // The few largest, largest last: all that the quantile needs, where a sort of the sample takes as long as all the rest of a frame.
  const largest: number[] = [];
  const room = count - Math.min(count - 1, Math.floor(quantile * count));
  for (let k = 0; k < count; k++) {
    const size = Math.abs(values[k * step]!);
    if (largest.length === room && !(size > largest[0]!)) continue;
    let place = largest.findLastIndex((other) => other <= size) + 1;
    if (largest.length === room) {
      largest.shift();
      place--;
    }
    largest.splice(place, 0, size);
  }
  return largest[0] ?? 0;
}
