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

/** How wide a list on standard output may be: as the terminal is, and without bound for other programs. */
const listWidth = (): number => (process.stdout.isTTY && process.stdout.columns) || Infinity;

/** Lines of at most `width` characters, as far as words allow. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/**
 * Rows as columns of equal width, two spaces apart; no cell breaks its line but the last one, where the line would be wider than `width` and
 * there is room for words beside the others.
 */
export function columns(cells: readonly (readonly string[])[], width = listWidth()): string {
  const rows = cells.map((row) => row.map((cell) => harmless(cell).replace(/[\n\t]/g, '\ufffd')));
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, k) => (widths[k] = Math.max(widths[k] ?? 0, cell.length)));
  return rows
    .map((row) => {
      const before = row
        .slice(0, -1)
        .map((cell, k) => `${cell.padEnd(widths[k]!)}  `)
        .join('');
      const room = width - before.length;
      const last = row.at(-1) ?? '';
      return before + (room < 20 ? last : wrapped(last, room).join(`\n${' '.repeat(before.length)}`));
    })
    .join('\n');
}

/** Whether a stream shows text to somebody on a terminal that obeys control sequences. */
export const isScreen = ({ isTTY }: { readonly isTTY?: boolean }): boolean =>
  isTTY === true && process.env.TERM !== 'dumb';

/** Width and colour for text on standard output. */
export function terminalStyle(): { width: number; colour: boolean } {
  return {
    width: Math.min(process.stdout.columns || 100, 120),
    colour: isScreen(process.stdout) && !process.env.NO_COLOR,
  };
}
