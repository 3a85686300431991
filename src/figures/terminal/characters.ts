import { largestMagnitude } from '../plots/thin.js';
import { columns } from '../text.js';

/** How bars and small curves are drawn: Unicode blocks, or plain ASCII. */
export interface Glyphs {
  readonly ascii: boolean;
  /** From low to high. */
  readonly levels: string;
  readonly bar: string;
  readonly axis: string;
  readonly rule: string;
}

export const unicodeGlyphs: Glyphs = { ascii: false, levels: '▁▂▃▄▅▆▇█', bar: '█', axis: '│', rule: '─' };
export const asciiGlyphs: Glyphs = { ascii: true, levels: '_.-=+*#@', bar: '#', axis: '|', rule: '-' };

/** A curve in one line of at most `width` characters: means of equal stretches, from least to greatest. */
export function sparkline(values: readonly number[], width: number, { levels }: Glyphs): string {
  const count = Math.min(width, values.length);
  const means = Array.from({ length: count }, (_, i) => {
    const from = Math.floor((i * values.length) / count);
    const to = Math.floor(((i + 1) * values.length) / count);
    return values.slice(from, to).reduce((a, b) => a + b) / (to - from);
  });
  const least = means.reduce((a, b) => Math.min(a, b), Infinity);
  const range = means.reduce((a, b) => Math.max(a, b), -Infinity) - least;
  const level = (mean: number): number =>
    range > 0 ? Math.round(((mean - least) / range) * (levels.length - 1)) : 0;
  return means.map((mean) => levels[level(mean)]!).join('');
}

/** Bars that grow to the left where negative and to the right where positive, around one axis; all have equal width. */
export function divergingBars(values: readonly number[], width: number, glyphs: Glyphs): string[] {
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  const largest = largestMagnitude(values);
  const share = largest > 0 ? -low / largest / (-low / largest + high / largest) : 0;
  const left = Math.max(low < 0 ? 1 : 0, Math.min(high > 0 ? width - 1 : width, Math.round(width * share)));
  const right = width - left;
  const lengthOf = (value: number, room: number): number =>
    Math.max(1, Math.min(room, Math.round((Math.abs(value) / largest) * Math.max(left, right))));
  return values.map((value) => {
    if (value === 0) return ' '.repeat(left) + glyphs.axis + ' '.repeat(right);
    const bar = glyphs.bar.repeat(lengthOf(value, value < 0 ? left : right));
    return value < 0
      ? bar.padStart(left) + glyphs.axis + ' '.repeat(right)
      : ' '.repeat(left) + glyphs.axis + bar.padEnd(right);
  });
}

const plain: Readonly<Record<string, string>> = {
  '−': '-',
  '–': '-',
  '·': '|',
  '→': '->',
  '…': '~',
  '÷': '/',
  Σ: 'sum',
  '“': '"',
  '”': '"',
  '’': "'",
  '⁻': '-',
  '⁰': '0',
  '¹': '1',
  '²': '2',
  '³': '3',
  '⁴': '4',
  '⁵': '5',
  '⁶': '6',
  '⁷': '7',
  '⁸': '8',
  '⁹': '9',
};

/** Everything but ASCII that is printed, line ends and the start of colour sequences. */
const beyondAscii = /[^\n\u001b\x20-\x7e]/gu;

/** The same text in ASCII: `1.08·10⁻³` becomes `1.08e-3`, what has no counterpart becomes `?`, colours stay. */
export function toAscii(text: string): string {
  return text
    .replace(/·10(?=[⁻⁰¹²³⁴⁵⁶⁷⁸⁹])/g, 'e')
    .replace(/10(?=[⁻⁰¹²³⁴⁵⁶⁷⁸⁹])/g, '1e')
    .replace(beyondAscii, (character) => plain[character] ?? '?'.repeat(columns(character)));
}

/** One cell: text, and how to colour it once it has been padded. */
export interface Cell {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

const padded = ({ text, paint }: Cell, width: number, left: boolean): string => {
  const space = ' '.repeat(Math.max(0, width - columns(text)));
  const shown = paint ? paint(text) : text;
  return left ? shown + space : space + shown;
};

/** Lines of aligned columns, two spaces apart; the columns in `leftAligned` are flush left, all others right. */
export function alignColumns(rows: readonly (readonly Cell[])[], leftAligned: ReadonlySet<number>): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => columns(row[column]!.text))),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => padded(cell, widths[column]!, leftAligned.has(column)))
      .join('  ')
      .trimEnd(),
  );
}

/** Breaks text at spaces, but not before a unit, into lines of at most `width` columns; a longer word stands alone. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/ (?!%|nats)/)) {
    const last = lines.at(-1);
    if (last !== undefined && columns(last) + 1 + columns(word) <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
