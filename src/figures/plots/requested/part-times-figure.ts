import type { PartTimes, PartTotals, RunAnalysis } from '../../../analysis/index.js';
import { formatNumber } from '../../format.js';
import { drawHeatMap, heatLegend, label } from '../../themes/heat-map.js';
import { printable, shorten, shortNames } from '../../text.js';
import { type Canvas, type Figure, figureWidth, type Panel } from '../canvas.js';
import { type LayerSelection, rowValues, selectLayers } from '../layer-rows.js';
import { largestMagnitude } from '../thin.js';

/** Parts side by side at most: more would be slivers. */
const mostParts = 6;
const left = 128;
const gap = 6;
const rowHeight = 14;
/** Of text above and below the pictures. */
const lineHeight = 13;
/** Of a letter, about. */
const letterWidth = 6;

const added = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
const addedRows = (rows: readonly (readonly number[])[]): number[] =>
  rows[0]!.map((_, w) => added(rows.map((row) => row[w]!)));

/** Indices of the parts with the largest totals, in their order. */
function shownParts({ parts }: PartTotals): number[] {
  const order = [...parts.keys()].sort(
    (a, b) => Math.abs(parts[b]!.total) - Math.abs(parts[a]!.total) || a - b,
  );
  return order.slice(0, mostParts).sort((a, b) => a - b);
}

/** The cells that have rows, by the size of their sums over all parts. */
function selectionOf({ cells, sums }: PartTimes): LayerSelection {
  const sizes = cells.map((layer, k) => ({
    layer,
    total: added(sums.map((part) => added(part[k]!.map(Math.abs)))),
  }));
  return selectLayers(sizes);
}

/** What stands above a picture: the part's name, in a line below its neighbours' where names are wide, and the sum of what is shown. */
interface Heading {
  readonly name: string;
  readonly sum: string;
  readonly line: number;
}

function headingsOf(
  { sums }: PartTimes,
  own: PartTotals,
  shown: readonly number[],
  width: number,
): Heading[] {
  const most = Math.floor(width / letterWidth);
  const names = shown.map((p) => printable(own.parts[p]!.name));
  const isWide = names.some((name) => name.length > most);
  return shown.map((p, k) => ({
    name: shorten(names[k]!, Math.max(5, isWide ? 2 * most : most)),
    sum: formatNumber(added(sums[p]!.map(added)), 2),
    line: isWide && k % 2 === 1 ? 1 : 0,
  }));
}

/** How long windows are whose lengths differ by more than whole segments of one length make them: their cells are of one width. */
function unevenNote({ from, until }: PartTimes): string {
  const lengths = until.map((end, w) => end - (until[w - 1] ?? from));
  const [least, most] = [Math.min(...lengths), Math.max(...lengths)];
  return most > 2 * least ? `, a cell for ${least} to ${most} iterations` : '';
}

/** Rows of layers or heads; for each part a picture of its windows, time to the right. */
function drawTimes(canvas: Canvas, unit: string, times: PartTimes, own: PartTotals, shown: readonly number[]): Panel {
  const selection = selectionOf(times);
  const pictures = shown.map((p) => rowValues(selection, times.sums[p]!, addedRows));
  const width = (figureWidth - left - gap * (shown.length - 1)) / shown.length;
  const height = rowHeight * selection.labels.length;
  const headings = headingsOf(times, own, shown, width);
  const lines = 2 + Math.max(...headings.map(({ line }) => line));
  const top = lines * lineHeight + 4;
  const rows = selection.labels.map((name, k) => label(shorten(printable(name), 20), left - 6, top + rowHeight * (k + 0.5) + 4, { anchor: 'end', size: 11 }));
  const maps = pictures.map((cells, k) => {
    const x = left + k * (width + gap);
    const { name, sum, line } = headings[k]!;
    const text = label(name, x + width / 2, 11 + line * lineHeight, { anchor: 'middle', size: 11 }) + label(sum, x + width / 2, lines * lineHeight, { anchor: 'middle', size: 11 });
    return text + drawHeatMap(canvas, { cells, largest: largestMagnitude(cells.flat()) }, { x, y: top, width, height });
  });
  const span = label(`each from iteration ${times.from} to ${times.until.at(-1)!}${unevenNote(times)}`, figureWidth, top + height + lineHeight, { anchor: 'end', size: 11 });
  const sums = label(`sum (${unit})`, left - 6, lines * lineHeight, { anchor: 'end', size: 11 });
  return { height: top + height + lineHeight + 10, svg: sums + rows.join('') + maps.join('') + span };
} // prettier-ignore

/** Where most of a part's gain was made, and by when half of that. */
function mostOf(
  { cells, sums, until }: PartTimes,
  p: number,
): { cell: string; total: number; half: number } | null {
  const totals = sums[p]!.map(added);
  const best = totals.indexOf(Math.min(...totals));
  if (best < 0 || !(totals[best]! < 0)) return null;
  let sum = 0;
  const half = sums[p]![best]!.findIndex((value) => (sum += value) <= totals[best]! / 2);
  return { cell: cells[best]!, total: totals[best]!, half: until[half]! };
}

function captionOf(own: PartTotals, shown: readonly number[], unit: string): string {
  const most = shown.flatMap((p) => {
    const found = own.times.flatMap((times) => mostOf(times, p) ?? []);
    const inWords = found.map(({ cell, total, half }) => `${printable(shortNames([cell], 28)[0]!)} (${formatNumber(total, 3)} ${unit}, half of it by iteration ${half})`);
    return found.length === 0 ? [] : [`${printable(own.parts[p]!.name)} gained most in ${inWords.join(' and ')}`];
  }); // prettier-ignore
  const left = own.parts.length - shown.length;
  const still = own.times.every(({ sums }) => largestMagnitude(sums.flat(2)) === 0);
  const gains = still ? 'Nothing changed' : most.join('; ') || 'No part shown gained anywhere';
  return (
    `What each ${own.times.some(({ entity }) => entity === 'head') ? 'layer and attention head' : 'layer'} did for each part of the loss, from the first iteration (left) to the last (right), each part on a scale of its own by the square root; above each picture, what it adds up to. ` +
    `${gains}.${left > 0 && !still ? ` The other ${left} parts changed less.` : ''}`
  );
}

/** Which layers and attention heads learned which parts (token classes, classes, groups), and when: a figure for each way of dividing. */
export function partTimesFigures(canvas: Canvas, { objectives, summary }: RunAnalysis): Figure[] {
  return (objectives[0]?.parts ?? []).flatMap((own) => {
    if (own.times.length === 0) return [];
    const shown = shownParts(own);
    return [
      canvas.figure({
        name: `when-${own.by.replace(/[^\w.-]+/g, '_')}`,
        title: `${own.times.length > 1 ? 'Layers and heads' : 'Layers'} by ${printable(own.by)}, over time`,
        caption: captionOf(own, shown, summary.unit),
        note:
          shown.length < own.parts.length
            ? `Only ${shown.length} of ${own.parts.length} parts are shown: those that changed most.`
            : null,
        legend: heatLegend(canvas),
        panels: own.times.map((times) => drawTimes(canvas, summary.unit, times, own, shown)),
      }),
    ];
  });
}
