import { describe, expect, it } from 'vitest';
import { palettes } from './theme.js';

type Colour = readonly [red: number, green: number, blue: number];

/** Linear light in [0, 1] of `#rrggbb`. */
function linear(hex: string): Colour {
  const parts = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255);
  return parts.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)) as unknown as Colour;
}

const product = (rows: readonly Colour[], [x, y, z]: Colour): Colour =>
  rows.map(([a, b, c]) => a * x + b * y + c * z) as unknown as Colour;

/** Machado, Oliveira and Fernandes (2009), severity 1: what a reader without one kind of cone sees. */
const vision: Readonly<Record<string, readonly Colour[]>> = {
  normal: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
}; // prettier-ignore

/** Ottosson's Oklab: distances are about as large as differences look. */
function oklab(colour: Colour): Colour {
  const cones = product(
    [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566], [0.0883024619, 0.2817188376, 0.6299787005]], // prettier-ignore
    colour,
  ).map((value) => Math.cbrt(Math.max(0, value))) as unknown as Colour;
  return product(
    [[0.2104542553, 0.793617785, -0.0040720468], [1.9779984951, -2.428592205, 0.4505937099], [0.0259040371, 0.7827717662, -0.808675766]], // prettier-ignore
    cones,
  );
}

/** WCAG contrast of two colours, from 1 to 21. */
function contrast(a: string, b: string): number {
  const [low, high] = [a, b]
    .map((hex) => product([[0.2126, 0.7152, 0.0722]], linear(hex))[0] + 0.05)
    .sort((x, y) => x - y);
  return high! / low!;
}

describe.each(['light', 'dark'] as const)('colours of objectives, %s', (theme) => {
  const { objectives, background } = palettes[theme];

  it('stand out from the background', () => {
    expect(objectives.length).toBeGreaterThanOrEqual(6);
    for (const colour of objectives) expect(contrast(colour, background), colour).toBeGreaterThan(3);
  });

  it.each(Object.entries(vision))('differ to readers with %s vision', (kind, matrix) => {
    const seen = objectives.map((colour) => oklab(product(matrix, linear(colour))));
    seen.forEach((a, i) => {
      seen.slice(0, i).forEach((b, j) => {
        // The first two are told apart by dashes more than by their hues.
        const least = kind === 'deuteranopia' && i === 1 && j === 0 ? 0.035 : 0.09;
        expect(
          Math.hypot(...a.map((v, k) => v - b[k]!)),
          `${objectives[i]} ${objectives[j]}`,
        ).toBeGreaterThan(least);
      });
    });
  });
});
