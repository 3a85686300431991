import { createRequire } from 'node:module';
import type { Resvg } from '@resvg/resvg-js';
import type { Figure } from './plots/canvas.js';
import { figureWidth } from './plots/canvas.js';

const require = createRequire(import.meta.url);

/** Whether figures can be written as PNG here; if not, why, and what would help. */
export function pngProblem(): string | null {
  try {
    loadResvg();
    return null;
  } catch {
    return `the npm package @resvg/resvg-js cannot be loaded on ${process.platform} ${process.arch}; add it with \`npm install @resvg/resvg-js\``;
  }
}

/** The renderer of SVG. Throws where `pngProblem` names one. */
export function loadResvg(): typeof Resvg {
  return (require('@resvg/resvg-js') as { Resvg: typeof Resvg }).Resvg;
}

/**
 * PNG of a figure drawn with the `light` or `dark` theme (`page` colours need a page); `scale` pixels per unit, default 2.
 * Not part of the folder's index, because it loads a native library. Throws where `pngProblem` names one.
 */
export function renderPng(figure: Figure, scale = 2): Uint8Array {
  const resvg = new (loadResvg())(figure.svg, {
    fitTo: { mode: 'width', value: Math.round((figureWidth + 24) * scale) },
    font: { loadSystemFonts: true, defaultFontFamily: 'DejaVu Sans' },
  });
  return resvg.render().asPng();
}
