import type { RunAnalysis } from '../../analysis/index.js';
import { accuracyFigure } from './accuracy-figure.js';
import { certaintyFigure } from './requested/certainty-figure.js';
import { componentsFigure } from './requested/components-figure.js';
import { createCanvas } from './canvas.js';
import type { Canvas, Figure } from './canvas.js';
import { distributionFigure } from './distribution-figure.js';
import { firstLayerFigure } from './first-layer-figure.js';
import { layerSharesFigure } from './layer-shares-figure.js';
import { layerTotalsFigure } from './layer-totals-figure.js';
import { layersOverTimeFigure } from './layers-over-time-figure.js';
import { lossFigure } from './loss-figure.js';
import { partTimesFigures } from './requested/part-times-figure.js';
import { partsFigures } from './requested/parts-figure.js';
import { residualFigure } from './residual-figure.js';
import { sharesFigure } from './shares-figure.js';
import { subintervalsFigure } from './subintervals-figure.js';
import type { Theme } from '../theme.js';

const drawings: readonly ((canvas: Canvas, analysis: RunAnalysis) => Figure | readonly Figure[] | null)[] = [
  lossFigure,
  accuracyFigure,
  layerTotalsFigure,
  layersOverTimeFigure,
  partsFigures,
  partTimesFigures,
  componentsFigure,
  sharesFigure,
  layerSharesFigure,
  firstLayerFigure,
  distributionFigure,
  residualFigure,
  certaintyFigure,
  subintervalsFigure,
];

/**
 * Draws every figure that the analysis has data for, in reading order; none for an empty run. `theme` defaults to `light`:
 * SVG files that stand alone, with their title and a background.
 */
export function drawFigures(analysis: RunAnalysis, options: { readonly theme?: Theme } = {}): Figure[] {
  const canvas = createCanvas(options.theme ?? 'light');
  return drawings.flatMap((draw) => draw(canvas, analysis) ?? []);
}
