import { JSDOM } from 'jsdom';
import type { RunAnalysis } from '../../src/analysis/index.js';
import type { Figure } from '../../src/figures/plots/canvas.js';
import { drawFigures } from '../../src/figures/plots/figures.js';
import type { Theme } from '../../src/figures/theme.js';

const xml = new JSDOM('');

/** Parses as XML, which is stricter than HTML; throws where the SVG is malformed. */
export function parse(svg: string): Document {
  return new xml.window.DOMParser().parseFromString(svg, 'image/svg+xml');
}

const drawn = new Map<RunAnalysis, Map<Theme, Map<string, Figure>>>();

/** Figures by name, drawn once for each analysis and theme. */
export function draw(analysis: RunAnalysis, theme: Theme = 'page'): Map<string, Figure> {
  const themes = drawn.get(analysis) ?? new Map<Theme, Map<string, Figure>>();
  drawn.set(analysis, themes);
  const known = themes.get(theme);
  if (known) return known;
  const figures = new Map(drawFigures(analysis, { theme }).map((figure) => [figure.name, figure]));
  themes.set(theme, figures);
  return figures;
}

/** Points of the one path that a mark with this description drew. */
export function pathPoints(document: Document, description: string): [number, number][] {
  const path = document.querySelector(`[aria-description="${description}"] path`)!.getAttribute('d')!;
  return path
    .split(/[MLZ]/)
    .filter((part) => part !== '')
    .map((part) => part.split(',').map(Number) as [number, number]);
}
