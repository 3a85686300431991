import * as Plot from '@observablehq/plot';
import type { OverfitLayer, ThemeAnalyses } from '../../analysis/index.js';
import { formatNumber, scaledUnit } from '../format.js';
import { printable } from '../text.js';
import type { Canvas, Figure } from '../plots/canvas.js';
import { layerRows, selectLayers, valueColumn } from '../plots/layer-rows.js';
import { largestMagnitude } from '../plots/thin.js';
import { type DataTable, rowsNote, rowsShown, type ThemeDrawing } from './drawing.js';

function draw(canvas: Canvas, { use, unit }: ThemeAnalyses): Figure | null {
  const overfitting = use?.overfitting;
  if (!overfitting) return null;
  const { palette } = canvas;
  const { objective, heldOut } = overfitting;
  const layers = overfitting.layers.map((own) => ({ ...own, total: own.difference, of: own }));
  const selection = selectLayers(layers);
  const which = 'those that differ most';
  const shown = selection.shown.map((i) => layers[i]!);
  const values = shown.map(({ difference }) => formatNumber(difference, 2));
  const scale = scaledUnit(largestMagnitude(shown.map(({ difference }) => difference)), unit);
  const most = shown.reduce<OverfitLayer>((a, b) => (b.difference < a.difference ? b : a), shown[0]!);
  const furthest =
    most.difference < 0
      ? `${printable(most.layer)} goes furthest, ${formatNumber(most.difference, 3)} ${unit}`
      : 'here no layer did';
  return canvas.figure({
    name: 'overfitting',
    title: `What ${objective} gained and ${heldOut} did not`,
    caption:
      `Each layer's total on ${objective} less that on ${heldOut}: bars to the left helped more on ${objective}; ${furthest}. ` +
      `The paper measures the training loss alone and leaves memorisation against generalisation to later work (its Section 2).${rowsNote(selection, which)}`,
    note: rowsShown(selection, which),
    legend: [
      { label: `helped ${objective} more`, colour: palette.helping, kind: 'area' },
      { label: `helped ${heldOut} more`, colour: palette.hurting, kind: 'area' },
    ],
    panels: [
      canvas.panel({
        ...layerRows({ ...selection, others: [], labels: selection.labels.slice(0, shown.length) }, values),
        x: { label: `difference of totals (${scale.unit})`, labelAnchor: 'center', labelArrow: 'none', ticks: 4, nice: true },
        marks: [
          Plot.gridX({ ticks: 4 }),
          Plot.barX(shown.map((own, row) => ({ row, x: own.difference * scale.factor })), { x: 'x', y: 'row', fill: ({ x }) => (x > 0 ? palette.hurting : palette.helping) }),
          Plot.ruleX([0], { stroke: palette.text }),
          valueColumn(values),
        ],
      }),
    ],
  });
} // prettier-ignore

function dataOf({ use }: ThemeAnalyses): DataTable | null {
  if (!use) return null;
  const { freeze, overfitting } = use;
  return {
    columns: [
      'layer',
      'parameters',
      'total',
      'last half',
      'hurting segments',
      'reason',
      'held out',
      'difference',
    ],
    rows: freeze.map((own, i) => [
      own.layer,
      own.parameters,
      own.total,
      own.lastHalf,
      own.hurtingSegments,
      own.reason,
      overfitting?.layers[i]?.heldOut ?? null,
      overfitting?.layers[i]?.difference ?? null,
    ]),
  };
}

export const useDrawings: readonly ThemeDrawing[] = [
  { name: 'overfitting', theme: 'use', data: dataOf, draw },
];
