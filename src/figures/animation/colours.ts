import type { Numbers } from '../../ledger/types.js';
import type { Palette } from '../theme.js';

/** Steps of colour on either side of zero. */
export const depths = 40;
/** Colour of zero; those below it help, deepest first, those above hurt, deepest last. */
export const zeroColour = depths;

const scaleColours = 2 * depths + 1;
/** Steps from the background to the colour of text or of a line. */
const rampSteps = 24;

/** At most 256 colours, each pixel's by its index: a frame is one byte a pixel, whatever it is encoded as. */
export interface IndexedColours {
  /** [colours · 3] red, green and blue from 0 to 255. */
  readonly rgb: Uint8Array;
  /** The colour most like another one. */
  readonly nearest: (red: number, green: number, blue: number) => number;
}

type Rgb = readonly [number, number, number];

const parse = (colour: string): Rgb => {
  const value = Number.parseInt(colour.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
};

const mix = (from: Rgb, to: Rgb, share: number): Rgb =>
  [0, 1, 2].map((i) => Math.round(from[i]! + share * (to[i]! - from[i]!))) as unknown as Rgb;

/** The diverging scale, white (or the dark background) in the middle, and what text and lines need. */
export function indexedColours(palette: Palette): IndexedColours {
  const [background, helping, hurting] = [palette.background, palette.helping, palette.hurting].map(parse) as [Rgb, Rgb, Rgb];
  const scale = Array.from({ length: scaleColours }, (_, i) =>
    mix(background, i < zeroColour ? helping : hurting, Math.abs(i - zeroColour) / depths),
  );
  const lines = [palette.text, palette.muted, palette.zero, ...palette.objectives.slice(0, 3)].map(parse);
  const ramps = lines.flatMap((colour) => Array.from({ length: rampSteps }, (_, i) => mix(background, colour, (i + 1) / rampSteps)));
  const all = [...scale, ...ramps];
  const known = new Map<number, number>();
  const nearest = (red: number, green: number, blue: number): number => {
    const key = (red << 16) | (green << 8) | blue;
    const found = known.get(key) ?? nearestOf(all, [red, green, blue]);
    known.set(key, found);
    return found;
  };
  return { rgb: Uint8Array.from(all.flat()), nearest };
} // prettier-ignore

function nearestOf(all: readonly Rgb[], [red, green, blue]: Rgb): number {
  let [best, least] = [0, Infinity];
  all.forEach(([r, g, b], i) => {
    const distance = (r - red) ** 2 + (g - green) ** 2 + (b - blue) ** 2;
    if (distance < least) [best, least] = [i, distance];
  });
  return best;
}

/**
 * Colours [K] of allocations [K] on a scale whose ends stand for `largest` and all beyond: by the square root of the magnitude, so that
 * small ones are seen; zero alone has zero's colour.
 */
export function coloursInto(colours: Uint8Array, values: Numbers, largest: number): void {
  const factor = largest > 0 ? 1 / largest : 0;
  for (let k = 0; k < colours.length; k++) {
    const value = values[k]!;
    const depth = Math.min(depths, Math.ceil(depths * Math.sqrt(Math.abs(value) * factor)));
    colours[k] = value < 0 ? zeroColour - depth : zeroColour + depth;
  }
}
