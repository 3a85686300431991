import * as Plot from '@observablehq/plot';
import type { LayerTotal, RunAnalysis } from '../../analysis/index.js';
import type { Canvas, Figure, LegendEntry, Panel } from './canvas.js';
import { formatNumber } from '../format.js';
import { layerRows } from './layer-rows.js';
import { printable, shorten } from '../text.js';

const valueColumn = 74;

function drawTotals(
  canvas: Canvas,
  layers: readonly LayerTotal[],
  validation: readonly LayerTotal[] | null,
  unit: string,
): Panel {
  const { palette } = canvas;
  const rows = layers.map((layer, i) => ({ ...layer, row: i }));
  return canvas.panel({
    ...layerRows(layers.map(({ layer }) => layer)),
    marginRight: valueColumn,
    x: { label: `Σ allocations (${unit})`, labelAnchor: 'center', labelArrow: 'none', ticks: 5, nice: true },
    marks: [
      Plot.gridX({ ticks: 5 }),
      Plot.barX(rows, {
        x: 'total',
        y: 'row',
        fill: ({ total }: LayerTotal) => (total > 0 ? palette.hurting : palette.helping),
        title: ({ layer, total, parameters }: LayerTotal) =>
          `${printable(layer)}: ${formatNumber(total)} ${unit}, ${parameters} parameters`,
        ariaDescription: 'layer total',
      }),
      ...(validation
        ? [
            Plot.dot(
              validation.map(({ total }, row) => ({ total, row })),
              { x: 'total', y: 'row', r: 4, stroke: palette.text, strokeWidth: 1.75 },
            ),
          ]
        : []),
      Plot.ruleX([0], { stroke: palette.text }),
      Plot.text(rows, {
        y: 'row',
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
  const { train, validation } = analysis;
  const { unit } = analysis.summary;
  const split = train ?? validation;
  if (!split || split.layers.length === 0) return null;
  const compared = train ? (validation?.layers ?? null) : null;
  const legend: LegendEntry[] = [
    { label: 'helped (lowered the loss)', colour: canvas.palette.helping, kind: 'area' },
    { label: 'hurt (raised it)', colour: canvas.palette.hurting, kind: 'area' },
    ...(compared ? [{ label: 'validation', colour: canvas.palette.text, kind: 'dot' as const }] : []),
  ];
  return canvas.figure({
    name: 'layer-totals',
    title: 'What each layer did to the loss',
    caption: captionOf(split.layers, unit),
    legend,
    panels: [drawTotals(canvas, split.layers, compared, unit)],
  });
}
