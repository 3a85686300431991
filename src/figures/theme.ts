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
  readonly good: string;
  readonly bad: string;
  /** For the objectives in the run's order; figures tell them apart by dashes and symbols too. */
  readonly objectives: readonly string[];
  /** For the layers that stand out, largest first. */
  readonly layers: readonly string[];
}

/** After Okabe and Ito (helping, hurting, the first objectives) and Tol's muted scheme (layers), for colour-blind readers. */
const light: Palette = {
  text: '#1c2430',
  muted: '#5b6675',
  background: '#ffffff',
  helping: '#0072b2',
  hurting: '#d55e00',
  zero: '#c3c9d1',
  good: '#0b6e4f',
  bad: '#b3261e',
  objectives: ['#00805d', '#a4487c', '#3a2f8f', '#b8860b', '#5c3317', '#6f8fd8'],
  layers: ['#332288', '#999933', '#aa4499', '#117733', '#cc6677', '#44aa99', '#882255'],
};

const dark: Palette = {
  text: '#e6eaf0',
  muted: '#9aa5b4',
  background: '#12161d',
  helping: '#56b4e9',
  hurting: '#f5884a',
  zero: '#4a5463',
  good: '#5fd3a5',
  bad: '#ff8a80',
  objectives: ['#35c99a', '#e391bd', '#7f6df2', '#f0e06a', '#9c6a35', '#cfe6ff'],
  layers: ['#a79cf2', '#d3d36b', '#e08ad2', '#6cc784', '#f0a0ab', '#7fdccb', '#d8c6a3'],
};

/** The palette with each colour replaced by what `change` makes of it and its name, such as `helping` or `layers-3`. */
function mapPalette(palette: Palette, change: (name: string, colour: string) => string): Palette {
  const entries = Object.entries(palette).map(([name, colours]: [string, string | readonly string[]]) => [
    name,
    typeof colours === 'string'
      ? change(name, colours)
      : colours.map((colour, i) => change(`${name}-${i}`, colour)),
  ]);
  return Object.fromEntries(entries) as Palette;
}

const page = mapPalette(light, (name) => `var(--lca-${name})`);

export const palettes: Readonly<Record<Theme, Palette>> = { page, light, dark };

/** Declarations of the custom properties that `page` figures refer to. */
export function cssVariables(theme: 'light' | 'dark'): string {
  return Object.values(mapPalette(palettes[theme], (name, colour) => `--lca-${name}: ${colour};`))
    .flat()
    .join(' ');
}
