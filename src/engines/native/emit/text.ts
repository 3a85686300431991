/** A C number of type float that is exactly `Math.fround(value)`. */
export function floatLiteral(value: number): string {
  const rounded = Math.fround(value);
  if (Number.isNaN(rounded)) return 'NAN';
  if (!Number.isFinite(rounded)) return rounded > 0 ? 'INFINITY' : '-INFINITY';
  return `${decimal(rounded)}f`;
}

/** A C number of type double that is exactly `value`. */
export function doubleLiteral(value: number): string {
  if (Number.isNaN(value)) return '(0.0 / 0.0)';
  if (!Number.isFinite(value)) return value > 0 ? '(1.0 / 0.0)' : '(-1.0 / 0.0)';
  return decimal(value);
}

function decimal(value: number): string {
  const text = Object.is(value, -0) ? '-0' : String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** `count` entries made from their index, one a line. */
export function lines(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => line(index)).join('\n');
}

/** Indents C code by its braces, so that templates need not care. */
export function formatC(source: string): string {
  let depth = 0;
  const formatted: string[] = [];
  for (const raw of source.split('\n')) {
    const line = raw.trim();
    if (line === '') continue;
    const closing = /^[})]+/.exec(line)?.[0].length ?? 0;
    formatted.push('  '.repeat(Math.max(0, depth - closing)) + line);
    depth += count(line, '{') - count(line, '}');
  }
  return formatted.join('\n');
}

function count(line: string, character: string): number {
  return line.split(character).length - 1;
}
