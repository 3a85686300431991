/** Colours by meaning, as in the figures of reports: helping and hurting can be told apart by colour-blind readers. */
export interface Palette {
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly panel: string;
  readonly helping: string;
  readonly hurting: string;
  readonly zero: string;
  readonly series: readonly string[];
  /** Where a heat map is neither: stops of helping, from strong to weak, and of hurting from weak to strong. */
  readonly diverging: readonly string[];
}

const light: Palette = {
  text: '#1c2430',
  muted: '#5b6675',
  line: '#dfe3e8',
  panel: '#ffffff',
  helping: '#0072b2',
  hurting: '#d55e00',
  zero: '#c3c9d1',
  series: ['#332288', '#999933', '#aa4499', '#117733', '#cc6677', '#44aa99', '#882255', '#5b6675'],
  diverging: ['#053b66', '#0072b2', '#7fbbe0', '#f1f2f4', '#f3b184', '#d55e00', '#7a2f00'],
};

const dark: Palette = {
  text: '#e6eaf0',
  muted: '#9aa5b4',
  line: '#2a323d',
  panel: '#151a21',
  helping: '#56b4e9',
  hurting: '#f5884a',
  zero: '#4a5463',
  series: ['#a79cf2', '#d3d36b', '#e08ad2', '#6cc784', '#f0a0ab', '#7fdccb', '#d8c6a3', '#9aa5b4'],
  diverging: ['#c4e8ff', '#56b4e9', '#1f5f88', '#20262f', '#8a4a22', '#f5884a', '#ffd9bd'],
};

export const palettes = { light, dark } as const;

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

/** The size that all but a few in ten thousand values stay below, by a sample of them; a scale is not ruled by one outlier. */
export function usualSize(values: ArrayLike<number>, quantile = 0.9998): number {
  const step = Math.max(1, Math.floor(values.length / 100_000));
  const sizes = new Float64Array(Math.ceil(values.length / step));
  for (let k = 0; k < sizes.length; k++) sizes[k] = Math.abs(values[k * step]!);
  sizes.sort();
  return sizes[Math.min(sizes.length - 1, Math.floor(quantile * sizes.length))] ?? 0;
}
