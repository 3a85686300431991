import { Resvg } from '@resvg/resvg-js';
import type { Figure } from './plots/canvas.js';
import { figureWidth } from './plots/canvas.js';

/**
 * PNG of a figure drawn with the `light` or `dark` theme (`page` colours need a page); `scale` pixels per unit, default 2.
 * Not part of the folder's index, because it loads a native library.
 */
export function renderPng(figure: Figure, scale = 2): Uint8Array {
  const resvg = new Resvg(figure.svg, {
    fitTo: { mode: 'width', value: Math.round((figureWidth + 24) * scale) },
    font: { loadSystemFonts: true, defaultFontFamily: 'DejaVu Sans' },
  });
  return resvg.render().asPng();
}
