/** Prints one JSON document on standard output. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

export function printLine(text = ''): void {
  process.stdout.write(`${text}\n`);
}

/** Says something about the work on standard error, so that standard output stays clean. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Rows as columns of equal width, two spaces apart. */
export function columns(rows: readonly (readonly string[])[]): string {
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
