import { columns, printable } from '../../text.js';

/** A table that people read. All cells are text; the first column names the rows. */
export interface ReadTable {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** The last column is text, not numbers: it is broken where the line ends, and no name is shortened for it. */
  readonly isText?: boolean;
  /** What is counted how, and what it is compared with; one paragraph. */
  readonly note: string;
}

const width = 80;

/** Breaks prose into lines of at most 80 columns. */
export function wrap(text: string): string[] {
  const lines = [''];
  for (const word of printable(text).split(' ')) {
    const last = lines.at(-1)!;
    if (last === '') lines[lines.length - 1] = word;
    else if (columns(last) + 1 + columns(word) <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

const pad = (text: string, to: number, left: boolean): string => {
  const space = ' '.repeat(Math.max(0, to - columns(text)));
  return left ? text + space : space + text;
};

/** Names of rows are shortened until the line fits. */
function fitNames(rows: readonly (readonly string[])[], widths: readonly number[]): string[][] {
  const others = widths.slice(1).reduce((sum, own) => sum + own + 2, 0);
  const room = Math.max(8, width - others);
  return rows.map(([name, ...cells]) => [
    columns(name!) > room ? `${[...name!].slice(0, room - 1).join('')}…` : name!,
    ...cells,
  ]);
}

const widthsOf = (rows: readonly (readonly string[])[]): number[] =>
  rows[0]!.map((_, column) => Math.max(...rows.map((row) => columns(row[column]!))));

/** Rows whose last cell is broken into pieces of what is left of the width, a row each. */
function brokenText(rows: readonly (readonly string[])[]): string[][] {
  const others = widthsOf(rows).slice(0, -1).reduce((sum, own) => sum + own + 2, 0); // prettier-ignore
  const room = Math.max(20, width - others);
  return rows.flatMap((row) => {
    const pieces = row.at(-1)!.match(new RegExp(`.{1,${room}}(?=\\s|$)|.{1,${room}}`, 'gu')) ?? [''];
    return pieces.map((piece, k) => [...row.slice(0, -1).map((cell) => (k === 0 ? cell : '')), piece.trim()]);
  });
}

/** A table as lines of at most 80 columns where its cells allow it. */
export function tableText({ title, head, rows, note, isText = false }: ReadTable): string {
  const given = [head, ...rows].map((row) => row.map(printable));
  const cells = isText ? brokenText(given) : given;
  const fitted = fitNames(cells, widthsOf(cells));
  const widths = widthsOf(fitted);
  const lines = fitted.map((row) => row.map((cell, i) => pad(cell, widths[i]!, i === 0 || isText)).join('  ').trimEnd()); // prettier-ignore
  return [title, '-'.repeat(columns(title)), ...lines, ...(note === '' ? [] : wrap(note))].join('\n');
}
