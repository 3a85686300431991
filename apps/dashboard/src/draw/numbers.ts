/** A number in three significant digits, or whole where it has more, with a true minus sign; small and large ones as powers of ten. */
export function short(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 1e5 || size < 1e-3) {
    const [mantissa, exponent] = value.toExponential(digits - 1).split('e');
    return `${mantissa!}e${String(Number(exponent))}`.replaceAll('-', '−');
  }
  const text = size >= 10 ** digits ? value.toFixed(0) : value.toPrecision(digits);
  // What is rounded up to a power of ten is written with an exponent, as 1e+3.
  return (text.includes('e') ? String(Number(text)) : text).replace('-', '−');
}

/** The same with a sign always, for what helps or hurts. */
export function signed(value: number, digits = 3): string {
  return value > 0 ? `+${short(value, digits)}` : short(value, digits);
}

/** How ticks of very small or large numbers are written: as powers of ten, where three digits tell each as it is; else undefined. */
export function tickText(ticks: readonly number[]): ((tick: number) => string) | undefined {
  const largest = ticks.reduce((most, tick) => Math.max(most, Math.abs(tick)), 0);
  if (largest === 0 || (largest >= 1e-3 && largest < 1e6)) return undefined;
  const isWhole = (tick: number, digits: number) =>
    Math.abs(Number(tick.toPrecision(digits)) - tick) <= 1e-9 * Math.abs(tick);
  const digits = [1, 2, 3].find((count) => ticks.every((tick) => isWhole(tick, count)));
  return digits === undefined ? undefined : (tick) => short(tick, digits);
}

export function percent(part: number, digits = 3): string {
  return Number.isFinite(part) ? `${short(100 * part, digits)} %` : '–';
}

export function whole(value: number): string {
  return value.toLocaleString('en');
}

/** Seconds as people say them. */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
