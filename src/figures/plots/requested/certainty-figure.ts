import * as Plot from '@observablehq/plot';
import type { RunAnalysis } from '../../../analysis/index.js';
import { certaintySentences } from '../../certainty.js';
import { shownNote } from '../../objectives.js';
import { iterationAxis } from '../axes.js';
import type { Canvas, Figure } from '../canvas.js';
import { type Point, thin } from '../thin.js';

const pointsPerLine = 800;

/** The share of signs that are undetermined, over time; null where errors were not estimated. */
export function certaintyFigure(canvas: Canvas, analysis: RunAnalysis): Figure | null {
  const [main] = analysis.objectives;
  if (!main?.certainty) return null;
  const { perIteration, missed } = main.certainty;
  const percent = perIteration.map((share) => 100 * (share ?? 0));
  const colour = canvas.palette.objectives[0]!;
  const allowed = missed === null ? [] : [100 * (1 - missed.wanted)];
  return canvas.figure({
    name: 'certainty',
    title: 'How many signs are undetermined',
    caption: `${certaintySentences(main, analysis).join(' ')}${allowed.length > 0 ? ' Line: as many as were allowed.' : ''}${shownNote(analysis)}`,
    legend: [],
    panels: [
      canvas.panel({
        height: 170,
        x: iterationAxis(analysis.iteration),
        y: {
          label: 'undetermined, of those not zero (%)',
          labelArrow: 'none',
          grid: true,
          ticks: 4,
          zero: true,
        },
        marks: [
          Plot.ruleY(allowed, { stroke: canvas.palette.text, strokeDasharray: '4 3' }),
          Plot.lineY(thin(analysis.iteration.slice(1), percent, pointsPerLine), {
            x: 'x', y: ({ y }: Point) => y, stroke: colour, strokeWidth: 1.75, ariaDescription: 'undetermined share',
          }), // prettier-ignore
          Plot.ruleY([0], { stroke: canvas.palette.muted }),
        ],
      }),
    ],
  });
}
