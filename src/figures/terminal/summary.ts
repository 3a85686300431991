import picocolors from 'picocolors';
import { accuracyOf, type LayerTotal, type RunAnalysis } from '../../analysis/index.js';
import { certaintySentences } from '../certainty.js';
import { coverageSentences, leftOutSentences } from '../coverage.js';
import { errorRows, paperNote } from '../error-rows.js';
import { formatCount, formatLoss, formatNumber, formatShare } from '../format.js';
import { extentOf } from '../headlines.js';
import { objectiveLabel } from '../objectives.js';
import { columns, printable, shorten, shortNames, stepOf } from '../text.js';
import { plusMinus, samplingSentences } from '../sampling.js';
import { verdictOf } from '../verdict.js';
import {
  alignColumns,
  asciiGlyphs,
  divergingBars,
  sparkline,
  toAscii,
  unicodeGlyphs,
  wrap,
} from './characters.js';
import type { Cell, Glyphs } from './characters.js';

export interface TerminalOptions {
  /** Columns to fill; default 80, at least 72. */
  readonly width?: number;
  /** ANSI colours; default false. */
  readonly colour?: boolean;
  /** Only ASCII characters; default false. */
  readonly ascii?: boolean;
}

type Colours = ReturnType<typeof picocolors.createColors>;

interface Style {
  readonly width: number;
  readonly glyphs: Glyphs;
  readonly colours: Colours;
  /** Text as this terminal can show it; before columns are aligned, because it changes lengths. */
  readonly cell: (text: string) => Cell;
}

/** Rows that a terminal shows at most; the layers with the largest totals stay. */
const layerLimit = 24;

const heading = (text: string, { colours }: Style): string => colours.bold(text);

function verdictLines(analysis: RunAnalysis, { width, glyphs, colours }: Style): string[] {
  const { balance, headline, details } = verdictOf(analysis);
  const paint = {
    balanced: (text: string) => colours.bold(colours.green(text)),
    unbalanced: (text: string) => colours.bold(colours.red(text)),
    undetermined: colours.bold,
  }[balance];
  const lines = details.flatMap((line) => wrap(line, width - 2).map((part) => `  ${part}`));
  if (balance !== 'unbalanced') return [paint(headline), ...lines];
  const frame = paint((glyphs.ascii ? '!' : '━').repeat(width));
  return [frame, paint(headline.toUpperCase()), ...lines, frame];
}

function lossLines(analysis: RunAnalysis, { width, glyphs, colours, cell }: Style): string[] {
  const { objectives, summary } = analysis;
  const rows = objectives.map((objective) => {
    const { lossStart, lossEnd, lossChange } = objective.conservation;
    return [
      `${objectiveLabel(objective)} loss`,
      formatNumber(lossStart),
      '→',
      formatLoss(lossEnd, summary.unit),
      `(${formatNumber(lossChange)})`,
    ].map(cell);
  });
  const lines = alignColumns(rows, new Set([0, 3]));
  const widest = Math.max(...lines.map(columns));
  const room = Math.min(40, width - widest - 2);
  return lines.map((line, i) => {
    const curve = room >= 8 ? `  ${colours.cyan(sparkline(objectives[i]!.loss.measured, room, glyphs))}` : '';
    return line + ' '.repeat(curve ? widest - columns(line) : 0) + curve;
  });
}

function accuracyLines({ objectives, accuracy }: RunAnalysis, { cell }: Style): string[] {
  const rows = objectives.flatMap((objective) => {
    const own = accuracyOf(accuracy, objective.name);
    if (own === null) return [];
    const [first, last] = [own.share[0]!, own.share.at(-1)!].map((share) => formatShare(share));
    return [[`${objectiveLabel(objective)} accuracy`, first!, '→', last!, `of ${formatCount(own.labels)} labels`]];
  });
  return alignColumns(rows.map((row) => row.map(cell)), new Set([0, 3]));
} // prettier-ignore

/** Indices of the layers to list, in order of the layers. */
function listed(layers: readonly LayerTotal[]): number[] {
  const order = layers.map((_, i) => i);
  order.sort((a, b) => Math.abs(layers[b]!.total) - Math.abs(layers[a]!.total) || a - b);
  return order.slice(0, layerLimit).sort((a, b) => a - b);
}

function layerLines(analysis: RunAnalysis, style: Style): string[] {
  const [main] = analysis.objectives;
  if (!main || main.layers.length === 0) return [];
  const { colours, glyphs, width, cell } = style;
  const shown = listed(main.layers);
  const allNames = main.layers.map(({ layer }) => layer);
  const short = shortNames(allNames, Math.max(12, Math.floor(width / 4)));
  const names = shown.map((i) => short[i]!);
  const totals = shown.map((i) => main.layers[i]!.total);
  const paint = (total: number) => (total > 0 ? colours.yellow : colours.blue);
  const cells = shown.map((i, row): Cell[] => [
    cell(names[row]!),
    cell(formatCount(main.layers[i]!.parameters)),
    { ...cell(formatNumber(totals[row]!)), paint: paint(totals[row]!) },
    ...(main.sampling ? [cell(plusMinus(main.sampling.layers[i]!))] : []),
    cell(formatShare(main.shares.perLayer[i]!.shares.ofNonzero.helping)),
  ]);
  const interval = main.sampling ? ['95 %'] : [];
  const head = ['layer', 'parameters', analysis.summary.unit, ...interval, 'helping*'].map((text): Cell => ({
    text,
    paint: colours.dim,
  }));
  const lines = alignColumns([head, ...cells], new Set([0]));
  const widest = Math.max(...cells.map((row, i) => columnsOf(row, lines[i + 1]!)));
  const bars = divergingBars(totals, Math.max(10, Math.min(40, width - widest - 3)), glyphs);
  const omitted = main.layers.length - shown.length;
  return [
    heading(`What each layer did to the ${objectiveLabel(main)} loss (negative helped)`, style),
    lines[0]!,
    ...lines.slice(1).map((line, i) => `${line}  ${paint(totals[i]!)(bars[i]!.trimEnd())}`),
    ...(omitted > 0 ? [colours.dim(`… and ${omitted} layers with smaller totals`)] : []),
    ...wrap(`* share of entries that are not exactly zero, over all ${stepOf(analysis.summary)}s`, width).map(
      colours.dim,
    ),
    ...samplingSentences(main, analysis).flatMap((sentence) => wrap(sentence, width)),
  ];
}

/** Columns of a line whose colours take no space. */
function columnsOf(cells: readonly Cell[], line: string): number {
  const painted = cells.reduce(
    (extra, { text, paint }) => extra + (paint ? columns(paint(text)) - columns(text) : 0),
    0,
  );
  return columns(line) - painted;
}

function shareLines(analysis: RunAnalysis, style: Style): string[] {
  const { cell } = style;
  const [main] = analysis.objectives;
  if (!main) return [];
  const { ofAll, ofNonzero } = main.shares.run.shares;
  const rows = [
    ['', 'helping', 'hurting', 'exactly zero'],
    ['of all entries', formatShare(ofAll.helping), formatShare(ofAll.hurting), formatShare(ofAll.zero)],
    ['of those not zero', formatShare(ofNonzero.helping), formatShare(ofNonzero.hurting), ''],
  ].map((row) => row.map(cell));
  return [
    heading(`How many parameters help (${objectiveLabel(main)} loss)`, style),
    ...alignColumns(rows, new Set([0])),
    ...certaintySentences(main, analysis).flatMap((sentence) => wrap(sentence, style.width)),
  ];
}

function errorLines(analysis: RunAnalysis, style: Style): string[] {
  const { cell } = style;
  const rows = [
    ['', 'cumulative', `mean, ${analysis.summary.unit}`, 'over tolerance'],
    ...errorRows(analysis).map(({ what, total, mean, over }) => [
      shorten(what, style.width - 42),
      total,
      mean,
      over,
    ]),
  ].map((row) => row.map(cell));
  const note = paperNote(analysis);
  return [
    heading('Error of the integration', style),
    ...alignColumns(rows, new Set([0])),
    ...(note ? wrap(note, style.width).map(style.colours.dim) : []),
  ];
}

function coverageLines({ coverage, summary }: RunAnalysis, style: Style): string[] {
  const sentences = [...coverageSentences(coverage, summary.unit), ...leftOutSentences(coverage)];
  return [
    heading('What the ledger accounts for', style),
    ...sentences.flatMap((sentence) => wrap(sentence, style.width)),
  ];
}

/**
 * The run in a screenful: what happened, which layers helped and hurt, and whether the ledger balances. Ends without a newline.
 * Names are cleared of control characters, so that they cannot disturb the terminal.
 */
export function terminalSummary(given: RunAnalysis, options: TerminalOptions = {}): string {
  const { unit, rule } = given.summary;
  const analysis = { ...given, summary: { ...given.summary, unit: printable(unit), rule: printable(rule) } };
  const { width = 80, colour = false, ascii = false } = options;
  const style: Style = {
    width: Math.max(72, width),
    glyphs: ascii ? asciiGlyphs : unicodeGlyphs,
    colours: picocolors.createColors(colour),
    cell: (text) => ({ text: ascii ? toAscii(text) : text }),
  };
  const blocks =
    analysis.summary.segments === 0
      ? [[extentOf(analysis)], verdictLines(analysis, style)]
      : [
          wrap(extentOf(analysis), style.width),
          [...lossLines(analysis, style), ...accuracyLines(analysis, style)],
          layerLines(analysis, style),
          shareLines(analysis, style),
          errorLines(analysis, style),
          coverageLines(analysis, style),
          verdictLines(analysis, style),
        ];
  const text = blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n');
  return ascii ? toAscii(text) : text;
}
