/**
 * The error function to a few units in the last place: e^(-x²) · 2x/√π · Σ (2x²)^n / (1·3·…·(2n+1)), whose terms are all
 * positive (Abramowitz and Stegun 7.1.6). Beyond 6 it is ±1 in float64.
 */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = 1;
  let sum = 1;
  for (let n = 1; term > sum * 2 ** -54; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * x * Math.exp(-x * x) * sum;
}

/** 1 / (1 + e^-x) without overflow. */
export function sigmoid(x: number): number {
  const small = Math.exp(-Math.abs(x));
  return (x >= 0 ? 1 : small) / (1 + small);
}
