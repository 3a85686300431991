import { harmless } from '../errors.js';

/** Prints one JSON document on standard output. */
export function printJson(value: unknown): void {
  const text = JSON.stringify(value, null, 2);
  // JSON escapes control characters itself, but not all that a terminal obeys.
  const escaped = text.replace(/[\x7f-\x9f\p{Cf}]/gu, (character) =>
    [...Array(character.length).keys()]
      .map((k) => `\\u${character.charCodeAt(k).toString(16).padStart(4, '0')}`)
      .join(''),
  );
  process.stdout.write(`${escaped}\n`);
}

/** Prints text that may hold names out of users' files. */
export function printLine(text = ''): void {
  process.stdout.write(`${harmless(text)}\n`);
}

/** Prints text with colours, in which names were made harmless before. */
export function printColoured(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Says something about the work on standard error, so that standard output stays clean. */
export function say(text: string): void {
  process.stderr.write(`${harmless(text)}\n`);
}

/** Rows as columns of equal width, two spaces apart; no cell breaks its line. */
export function columns(cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map((cell) => harmless(cell).replace(/[\n\t]/g, '\ufffd')));
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, k) => (widths[k] = Math.max(widths[k] ?? 0, cell.length)));
  return rows
    .map((row) => row.map((cell, k) => (k < row.length - 1 ? cell.padEnd(widths[k]!) : cell)).join('  '))
    .join('\n');
}

/** Width and colour for text on standard output. */
export function terminalStyle(): { width: number; colour: boolean } {
  return {
    width: Math.min(process.stdout.columns || 100, 120),
    colour: process.stdout.isTTY && process.env.NO_COLOR === undefined,
  };
}
