import { columns, printable } from '../../text.js';

/** A table that people read. All cells are text; the first column names the rows. */
export interface ReadTable {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
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

/** A table as lines of at most 80 columns where its cells allow it. */
export function tableText({ title, head, rows, note }: ReadTable): string {
  const cells = [head, ...rows].map((row) => row.map(printable));
  const fitted = fitNames(cells, widthsOf(cells));
  const widths = widthsOf(fitted);
  const lines = fitted.map((row) => row.map((cell, i) => pad(cell, widths[i]!, i === 0)).join('  ').trimEnd()); // prettier-ignore
  return [title, '-'.repeat(columns(title)), ...lines, ...(note === '' ? [] : wrap(note))].join('\n');
}
