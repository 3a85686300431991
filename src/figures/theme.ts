/**
 * `page`: colours are CSS custom properties that the surrounding page defines, so one SVG follows its light or dark scheme.
 * `light` and `dark`: explicit colours and a background, for SVG files and PNG.
 */
export type Theme = 'page' | 'light' | 'dark';

/** Colours by meaning. Helping and hurting have the same two in every figure. */
export interface Palette {
  readonly text: string;
  readonly muted: string;
  readonly background: string;
  readonly helping: string;
  readonly hurting: string;
  readonly zero: string;
  readonly train: string;
  readonly validation: string;
  readonly good: string;
  readonly bad: string;
  /** For the layers that stand out, largest first. */
  readonly layers: readonly string[];
}

/** After Okabe and Ito (helping, hurting, train, validation) and Tol's muted scheme (layers): safe for colour-blind readers. */
const light: Palette = {
  text: '#1c2430',
  muted: '#5b6675',
  background: '#ffffff',
  helping: '#0072b2',
  hurting: '#d55e00',
  zero: '#c3c9d1',
  train: '#00805d',
  validation: '#a4487c',
  good: '#0b6e4f',
  bad: '#b3261e',
  layers: ['#332288', '#999933', '#aa4499', '#117733', '#cc6677', '#44aa99', '#882255'],
};

const dark: Palette = {
  text: '#e6eaf0',
  muted: '#9aa5b4',
  background: '#12161d',
  helping: '#56b4e9',
  hurting: '#f5884a',
  zero: '#4a5463',
  train: '#35c99a',
  validation: '#e391bd',
  good: '#5fd3a5',
  bad: '#ff8a80',
  layers: ['#a79cf2', '#d3d36b', '#e08ad2', '#6cc784', '#f0a0ab', '#7fdccb', '#d8c6a3'],
};

type ColourName = Exclude<keyof Palette, 'layers'>;

const entriesOf = ({ layers, ...named }: Palette): (readonly [string, string])[] => [
  ...Object.entries(named),
  ...layers.map((colour, i) => [`layer-${i}`, colour] as const),
];

const reference = (name: string): string => `var(--lca-${name})`;

const page: Palette = {
  ...(Object.fromEntries(Object.keys(light).map((name) => [name, reference(name)])) as Record<
    ColourName,
    string
  >),
  layers: light.layers.map((_, i) => reference(`layer-${i}`)),
};

export const palettes: Readonly<Record<Theme, Palette>> = { page, light, dark };

/** Declarations of the custom properties that `page` figures refer to. */
export function cssVariables(theme: 'light' | 'dark'): string {
  return entriesOf(palettes[theme])
    .map(([name, colour]) => `--lca-${name}: ${colour};`)
    .join(' ');
}
