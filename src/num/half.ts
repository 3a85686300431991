/** The number of a 16-bit float: IEEE half precision, or the upper half of a float32. */
export function halfToNumber(dtype: 'float16' | 'bfloat16', bits: number): number {
  const [exponentBits, fractionBits] = dtype === 'float16' ? [5, 10] : [8, 7];
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >> fractionBits) & (2 ** exponentBits - 1);
  const fraction = (bits & (2 ** fractionBits - 1)) / 2 ** fractionBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** (1 - bias) : sign * (1 + fraction) * 2 ** (exponent - bias);
}
