import * as Plot from '@observablehq/plot';
import { sharesOf } from '../../analysis/index.js';
import type { RunAnalysis, ShareAnalysis } from '../../analysis/index.js';
import type { Canvas, Figure, Panel } from './canvas.js';
import { formatShare } from '../format.js';
import {
  type LayerSelection,
  layerRows,
  othersNote,
  type Piece,
  rowValues,
  selectLayers,
  valueColumn,
} from './layer-rows.js';
import { shownNote } from '../objectives.js';
import { shareLegend } from './shares-figure.js';
import { printable } from '../text.js';

type LayerShare = ShareAnalysis['perLayer'][number];

/** The three parts of a layer's bar, in percent. */
function piecesOf({ palette }: Canvas, { layer, shares }: LayerShare, row: number): Piece[] {
  const { helping, hurting, zero } = shares.ofAll;
  if (helping === null || hurting === null || zero === null) return [];
  const ends = [0, 100 * helping, 100 * (helping + zero), 100];
  const text = [
    `${printable(layer)}: ${formatShare(helping)} helping, ${formatShare(zero)} zero, ${formatShare(hurting)} hurting`,
    `of those not zero: ${formatShare(shares.ofNonzero.helping)} helping`,
  ].join('; ');
  return [palette.helping, palette.zero, palette.hurting].map((colour, i) => ({
    row,
    from: ends[i]!,
    to: ends[i + 1]!,
    colour,
    text,
  }));
}

function together(layers: readonly LayerShare[]): LayerShare {
  const total = (kind: 'helping' | 'hurting' | 'zero'): number =>
    layers.reduce((sum, counts) => sum + counts[kind], 0);
  const counts = { helping: total('helping'), hurting: total('hurting'), zero: total('zero') };
  return { layer: `${layers.length} other layers`, ...counts, shares: sharesOf(counts) };
}

function drawLayerShares(canvas: Canvas, selection: LayerSelection, all: readonly LayerShare[]): Panel {
  const { palette } = canvas;
  const layers = rowValues(selection, all, together);
  const values = layers.map(({ shares }) => formatShare(shares.ofNonzero.helping));
  const marked = layers.flatMap(({ shares: { ofNonzero } }, row) =>
    ofNonzero.helping === null ? [] : [{ row, x: 100 * ofNonzero.helping }],
  );
  return canvas.panel({
    ...layerRows(selection, values),
    x: {
      label: 'share of entries (%)',
      labelAnchor: 'center',
      labelArrow: 'none',
      domain: [0, 100],
      ticks: [0, 25, 50, 75, 100],
    },
    marks: [
      Plot.barX(
        layers.flatMap((layer, row) => piecesOf(canvas, layer, row)),
        { x1: 'from', x2: 'to', y: 'row', fill: 'colour', title: 'text', ariaDescription: 'layer share' },
      ),
      Plot.tickX(marked, { x: 'x', y: 'row', stroke: palette.text, strokeWidth: 2.5 }),
      Plot.ruleX([50], { stroke: palette.background, strokeDasharray: '2 3' }),
      valueColumn(values),
    ],
  });
}

function captionOf(layers: readonly LayerShare[]): string {
  const shares = layers.flatMap(({ shares: { ofNonzero } }) => ofNonzero.helping ?? []);
  if (shares.length === 0) return 'No allocation differs from zero.';
  const low = shares.reduce((a, b) => Math.min(a, b));
  const high = shares.reduce((a, b) => Math.max(a, b));
  return (
    `Over the run, between ${formatShare(low)} and ${formatShare(high)} of a layer's entries that are not exactly zero help ` +
    '(upright marks and figures on the right); bars show all entries.'
  );
}

/** Shares helping, hurting and zero of each layer over the run (paper Section 3, Figure 3(c)). */
export function layerSharesFigure(canvas: Canvas, analysis: RunAnalysis): Figure | null {
  const [main] = analysis.objectives;
  if (!main || main.layers.length === 0) return null;
  const { perLayer } = main.shares;
  const selection = selectLayers(main.layers);
  return canvas.figure({
    name: 'layer-shares',
    title: 'How many parameters help, layer by layer',
    caption: captionOf(perLayer) + othersNote(selection) + shownNote(analysis),
    legend: [
      ...shareLegend(canvas),
      { label: 'helping, of those not zero', colour: canvas.palette.text, kind: 'line' },
    ],
    panels: [drawLayerShares(canvas, selection, perLayer)],
  });
}
