import * as Plot from '@observablehq/plot';
import { toyLoss, toyPath } from '../../analysis/index.js';
import { formatNumber } from '../format.js';
import type { Canvas, Figure } from '../plots/canvas.js';

/** Two parameters on a surface, and what each did in each step (paper Figure 1). */
export function toyFigure(canvas: Canvas): Figure {
  const { palette } = canvas;
  const { path, loss, allocations } = toyPath();
  const points = path.map(([x, y]) => ({ x, y }));
  const bars = [0, 1].map((of) =>
    allocations.map((own, t) => ({ from: t - (of === 0 ? 0.4 : -0.05), to: t + (of === 0 ? 0.05 : 0.35), a: own[of]! })),
  );
  const totals = [0, 1].map((of) => allocations.reduce((sum, own) => sum + own[of]!, 0));
  return canvas.figure({
    name: 'toy',
    title: 'Two parameters on a surface',
    caption:
      `Gradient descent on a made-up loss of two parameters, and what each step did to the loss by each of them: bars below zero helped, those above hurt, and all add up to the change of the loss from ` +
      `${formatNumber(loss[0]!, 3)} to ${formatNumber(loss.at(-1)!, 3)} (x ${formatNumber(totals[0]!, 3)}, y ${formatNumber(totals[1]!, 3)}). The paper's Figure 1 shows such a pair: y swings across the valley and x goes along it.`,
    legend: [
      { label: 'parameter x', colour: palette.layers[0]!, kind: 'area' },
      { label: 'parameter y (narrow)', colour: palette.layers[4]!, kind: 'area' },
    ],
    panels: [
      canvas.panel({
        height: 250,
        x: { label: 'parameter x', labelArrow: 'none', domain: [-3, 3] },
        y: { label: 'parameter y', labelArrow: 'none', domain: [-2.5, 2.5] },
        marks: [
          Plot.contour({ fill: null, stroke: palette.muted, strokeOpacity: 0.55, value: toyLoss, x1: -3, x2: 3, y1: -2.5, y2: 2.5, thresholds: [0.05, 0.15, 0.35, 0.7, 1.3, 2.2, 3.5, 6, 10, 16], pixelSize: 4 }),
          Plot.line(points, { x: 'x', y: 'y', stroke: palette.text, strokeWidth: 1.75 }),
          Plot.dot(points, { x: 'x', y: 'y', r: 3, fill: palette.background, stroke: palette.text, strokeWidth: 1.75 }),
          Plot.text([{ ...points[0]!, text: 'start' }], { x: 'x', y: 'y', text: 'text', dy: -10 }),
        ],
      }),
      canvas.panel({
        height: 170,
        x: { label: 'step', labelArrow: 'none', domain: [-0.6, allocations.length - 0.4], ticks: allocations.length },
        y: { label: 'allocation', labelArrow: 'none', grid: true, ticks: 5 },
        marks: [
          ...bars.map((own, of) => Plot.rectY(own, { x1: 'from', x2: 'to', y1: 0, y2: 'a', fill: palette.layers[of === 0 ? 0 : 4]! })),
          Plot.ruleY([0], { stroke: palette.text }),
        ],
      }),
    ],
  });
} // prettier-ignore
