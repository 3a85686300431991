import * as Plot from '@observablehq/plot';
import type { LayerTotal, ObjectiveAnalysis, RunAnalysis } from '../../analysis/index.js';
import type { Canvas, Figure, LegendEntry, Panel } from './canvas.js';
import { formatNumber } from '../format.js';
import { objectiveLabel } from '../objectives.js';
import { layerRows } from './axes.js';
import { printable, shorten } from '../text.js';

const valueColumn = 74;

/** What marks the totals of the objectives after the first, by Plot's names and as path data for their keys. */
const symbols = [
  ['circle', 'M4,0A4,4,0,1,1,-4,0A4,4,0,1,1,4,0Z'],
  ['diamond2', 'M0,-5L5,0L0,5L-5,0Z'],
  ['square', 'M-3.5,-3.5h7v7h-7Z'],
  ['triangle', 'M0,-5L4.5,3.5L-4.5,3.5Z'],
  ['times', 'M-4,-4L4,4M-4,4L4,-4'],
] as const;

function bars({ palette }: Canvas, layers: readonly LayerTotal[], unit: string): Plot.Markish {
  return Plot.barX(
    layers.map((layer, row) => ({ ...layer, row })),
    {
      x: 'total',
      y: 'row',
      fill: ({ total }: LayerTotal) => (total > 0 ? palette.hurting : palette.helping),
      title: ({ layer, total, parameters }: LayerTotal) =>
        `${printable(layer)}: ${formatNumber(total)} ${unit}, ${parameters} parameters`,
      ariaDescription: 'layer total',
    },
  );
}

/** Totals of an objective after the first, on the bars of the first. */
function dots({ palette }: Canvas, { layers, name }: ObjectiveAnalysis, index: number): Plot.Markish {
  return Plot.dot(
    layers.map(({ total }, row) => ({ total, row })),
    {
      x: 'total',
      y: 'row',
      r: 4,
      symbol: symbols[index]![0],
      fill: palette.background,
      stroke: palette.text,
      strokeWidth: 1.75,
      ariaDescription: `${printable(name)} total`,
    },
  );
}

function drawTotals(
  canvas: Canvas,
  layers: readonly LayerTotal[],
  compared: readonly ObjectiveAnalysis[],
  unit: string,
): Panel {
  return canvas.panel({
    ...layerRows(layers.map(({ layer }) => layer)),
    marginRight: valueColumn,
    x: { label: `Σ allocations (${unit})`, labelAnchor: 'center', labelArrow: 'none', ticks: 5, nice: true },
    marks: [
      Plot.gridX({ ticks: 5 }),
      bars(canvas, layers, unit),
      ...compared.map((objective, index) => dots(canvas, objective, index)),
      Plot.ruleX([0], { stroke: canvas.palette.text }),
      Plot.text(layers, {
        y: (_: LayerTotal, row: number) => row,
        frameAnchor: 'right',
        textAnchor: 'end',
        dx: valueColumn - 2,
        text: ({ total }: LayerTotal) => formatNumber(total, 3),
      }),
    ],
  });
}

function captionOf(layers: readonly LayerTotal[], unit: string): string {
  const sorted = [...layers].sort((a, b) => a.total - b.total);
  const name = ({ layer, total }: LayerTotal): string =>
    `${shorten(layer, 40)} (${formatNumber(total, 3)} ${unit})`;
  const hurting = sorted.filter(({ total }) => total > 0);
  const helped = sorted[0]!.total < 0 ? `${name(sorted[0]!)} helped most` : 'No layer helped';
  if (hurting.length === 0) return `${helped}; no layer hurt over the whole run.`;
  const others = hurting.length > 1 ? ` the most of ${hurting.length} layers that hurt` : '';
  return `${helped}; ${name(hurting.at(-1)!)} hurt${others} over the whole run.`;
}

/** Σ allocations of each layer over the run: bars to the left helped, bars to the right hurt (paper Figure 4). */
export function layerTotalsFigure(canvas: Canvas, analysis: RunAnalysis): Figure | null {
  const { palette } = canvas;
  const { unit } = analysis.summary;
  const [main, ...others] = analysis.objectives;
  if (!main || main.layers.length === 0) return null;
  const compared = others.slice(0, symbols.length);
  const legend: LegendEntry[] = [
    { label: 'helped (lowered the loss)', colour: palette.helping, kind: 'area' },
    { label: 'hurt (raised it)', colour: palette.hurting, kind: 'area' },
    ...compared.map((objective, index) => ({
      label: objectiveLabel(objective),
      colour: palette.text,
      kind: 'symbol' as const,
      path: symbols[index]![1],
    })),
  ];
  const bars = others.length > 0 ? ` Bars: ${objectiveLabel(main)} loss.` : '';
  return canvas.figure({
    name: 'layer-totals',
    title: 'What each layer did to the loss',
    caption: captionOf(main.layers, unit) + bars,
    legend,
    panels: [drawTotals(canvas, main.layers, compared, unit)],
  });
}
