import * as Plot from '@observablehq/plot';
import type { PartTotals, RunAnalysis } from '../../../analysis/index.js';
import { formatNumber, scaledUnit } from '../../format.js';
import { shownNote } from '../../objectives.js';
import { printable, shorten } from '../../text.js';
import { iterationAxis } from '../axes.js';
import type { Canvas, Figure, LegendEntry, Panel } from '../canvas.js';
import { drawPieces, type Series, seriesOf } from './components-figure.js';
import { othersNote, selectLayers } from '../layer-rows.js';
import { largestMagnitude, type Point, thin } from '../thin.js';

const pointsPerLine = 400;

/** How the loss of each part moved since the start; those that share a colour are lines of it. */
function drawOverTime(
  canvas: Canvas,
  { iteration, summary }: RunAnalysis,
  { parts }: PartTotals,
  series: readonly Series[],
): Panel {
  const moved = parts.map(({ loss }) => loss.map((value) => value - loss[0]!));
  const { factor, unit } = scaledUnit(largestMagnitude(moved.flat()), summary.unit);
  return canvas.panel({
    height: 220,
    x: iterationAxis(iteration),
    y: { label: `change of the loss so far (${unit})`, labelArrow: 'none', grid: true, ticks: 5 },
    marks: [
      Plot.ruleY([0], { stroke: canvas.palette.muted }),
      ...parts.map(
        ({ name }, p) =>
        Plot.lineY(thin(iteration, moved[p]!, pointsPerLine), {
          x: 'x', y: ({ y }: Point) => y * factor, stroke: series[Math.min(p, series.length - 1)]!.colour, strokeWidth: 1.75, ariaDescription: `loss of ${printable(name)}`,
        }), // prettier-ignore
      ),
    ],
  });
}

function captionOf({ parts }: PartTotals, unit: string): string {
  const sorted = [...parts].sort((a, b) => a.total - b.total);
  const inWords = ({ name, total }: (typeof sorted)[number]): string =>
    `${printable(name)} (${formatNumber(total, 3)} ${unit})`;
  const [most, least] = [sorted[0]!, sorted.at(-1)!];
  const gains = most.total < 0 ? `Over the run ${inWords(most)} gained most` : 'No part gained';
  return (
    `What each part contributes to the loss and its change; together they are the whole. Above, how far each has come; below, what each layer did for it: pieces to the left helped, the marks across are their sums. ` +
    (most.total === 0 && least.total === 0
      ? 'Over the run nothing changed: no part gained or lost.'
      : `${gains}, ${inWords(least)} ${least.total > 0 ? 'lost most' : 'least'}.`)
  );
}

/** For whom the loss changed (classes, or the groups of a file), over time and layer by layer: a figure for each way of dividing. */
export function partsFigures(canvas: Canvas, analysis: RunAnalysis): Figure[] {
  const [main] = analysis.objectives;
  const selection = selectLayers(main?.layers ?? []);
  const { unit } = analysis.summary;
  return (main?.parts ?? []).map((own) => {
    const series = seriesOf(canvas, own.parts, selection);
    const legend: LegendEntry[] = series.map(({ name, colour }) => ({
      label: shorten(name, 60),
      colour,
      kind: 'area',
    }));
    return canvas.figure({
      name: `parts-${own.by.replace(/[^\w.-]+/g, '_')}`,
      title:
        own.by === 'class'
          ? 'For which class the loss changed'
          : `For whom the loss changed: ${printable(own.by)}`,
      caption: captionOf(own, unit) + othersNote(selection) + shownNote(analysis),
      legend,
      panels: [
        drawOverTime(canvas, analysis, own, series),
        drawPieces(canvas, selection, series, unit, 'part'),
      ],
    });
  });
}
