import { columns } from '../text.js';

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
