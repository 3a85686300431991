/** A number in three significant digits with a true minus sign; small ones as powers of ten. */
export function short(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 1e5 || size < 1e-3) {
    const [mantissa, exponent] = value.toExponential(digits - 1).split('e');
    return `${mantissa!}e${String(Number(exponent))}`.replaceAll('-', '−');
  }
  return value.toPrecision(digits).replace('-', '−');
}

/** The same with a sign always, for what helps or hurts. */
export function signed(value: number, digits = 3): string {
  return value > 0 ? `+${short(value, digits)}` : short(value, digits);
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
