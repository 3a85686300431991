import { loadResvg } from '../png.js';
import type { IndexedColours } from './colours.js';

/** A picture of indexed colours, row by row [height · width]. */
export interface IndexedImage {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** Draws an SVG element, one unit a pixel. Throws where `pngProblem` names one. */
export function drawIndexed(svg: string, { nearest }: IndexedColours): IndexedImage {
  const image = new (loadResvg())(svg, {
    font: { loadSystemFonts: true, defaultFontFamily: 'DejaVu Sans' },
  }).render();
  const { width, height, pixels: rgba } = image;
  const pixels = new Uint8Array(width * height);
  for (let i = 0; i < pixels.length; i++) {
    pixels[i] = nearest(rgba[4 * i]!, rgba[4 * i + 1]!, rgba[4 * i + 2]!);
  }
  return { width, height, pixels };
}

const glyphs = '0123456789.,−+';
const narrow = '.,';

/** Numbers drawn into frames glyph by glyph, all digits equally wide, so that nothing jumps. */
export interface NumberPrinter {
  /** Draws text of digits, `.`, `,`, `−`, `+` and spaces; (x, y) is the left end of its base line. */
  readonly print: (frame: Uint8Array, frameWidth: number, text: string, x: number, y: number) => void;
}

/** A printer of one size and weight on a plain background. */
export function numberPrinter(
  colours: IndexedColours,
  style: { readonly size: number; readonly weight: number; readonly fill: string; readonly background: string },
): NumberPrinter {
  const { size, weight, fill, background } = style;
  const cell = Math.ceil(size * 0.9);
  const [height, base] = [Math.ceil(size * 1.3), Math.ceil(size)];
  const texts = [...glyphs].map((glyph, i) => `<text x="${i * cell + cell / 2}" y="${base}">${glyph}</text>`);
  const sheet = drawIndexed(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${cell * glyphs.length}" height="${height}" font-family="'DejaVu Sans', sans-serif" font-size="${size}" font-weight="${weight}" text-anchor="middle" fill="${fill}"><rect width="100%" height="100%" fill="${background}"/>${texts.join('')}</svg>`,
    colours,
  );
  const advance = (glyph: string): number => Math.round(size * (narrow.includes(glyph) || glyph === ' ' ? 0.36 : 0.66));
  const print: NumberPrinter['print'] = (frame, frameWidth, text, x, y) => {
    let left = x;
    for (const glyph of text) {
      const from = glyphs.indexOf(glyph) * cell + Math.floor((cell - advance(glyph)) / 2);
      for (let row = 0; row < height && glyph !== ' '; row++) {
        const at = row * sheet.width + from;
        frame.set(sheet.pixels.subarray(at, at + advance(glyph)), (y - base + row) * frameWidth + left);
      }
      left += advance(glyph);
    }
  };
  return { print };
} // prettier-ignore
