const superscripts: Readonly<Record<string, string>> = {
  '-': '⁻',
  '0': '⁰',
  '1': '¹',
  '2': '²',
  '3': '³',
  '4': '⁴',
  '5': '⁵',
  '6': '⁶',
  '7': '⁷',
  '8': '⁸',
  '9': '⁹',
};

/** 10 to a power, as text: `10⁻⁶`. */
export function powerOfTen(exponent: number): string {
  return `10${[...String(exponent)].map((digit) => superscripts[digit]!).join('')}`;
}

/** A whole number with commas: `84,060`. */
export function formatCount(count: number): string {
  return count.toFixed(0).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A number to `digits` significant digits with a true minus sign: `−0.05123`, `1.08·10⁻³`, `−4,250`. */
export function formatNumber(value: number, digits = 4): string {
  if (value === 0) return '0';
  const [mantissa, power] = Math.abs(value)
    .toExponential(digits - 1)
    .split('e') as [string, string];
  const exponent = Number(power);
  const sign = value < 0 ? '−' : '';
  if (exponent < -3 || exponent > 5) return `${sign}${mantissa}·${powerOfTen(exponent)}`;
  if (exponent >= Math.max(3, digits - 1)) return `${sign}${formatCount(Math.abs(value))}`;
  return `${sign}${Math.abs(value).toFixed(Math.max(0, digits - 1 - exponent))}`;
}

/** A loss or allocation with its unit, to four digits. */
export function formatLoss(value: number, unit: string): string {
  return `${formatNumber(value)} ${unit}`;
}

/** A share as a percentage with one decimal, from ten times the whole on to three digits; `–` for null. */
export function formatShare(share: number | null): string {
  if (share === null) return '–';
  if (Math.abs(share) >= 10) return formatPercent(share * 100);
  return `${(share * 100).toFixed(1).replace('-', '−')} %`;
}

/** A percentage to three digits; `–` for null. */
export function formatPercent(percent: number | null): string {
  return percent === null ? '–' : `${formatNumber(percent, 3)} %`;
}

/** A multiple of a unit in which numbers up to `largest` are short: nats from 0.1 to 100,000, else 10⁻³ nats, 10⁶ nats, … */
export function scaledUnit(
  largest: number,
  unit: string,
): { readonly factor: number; readonly unit: string } {
  if (!(largest > 0) || (largest >= 0.1 && largest < 1e5)) return { factor: 1, unit };
  const exponent = 3 * Math.floor(Math.log10(largest) / 3);
  return { factor: 10 ** -exponent, unit: `${powerOfTen(exponent)} ${unit}` };
}
