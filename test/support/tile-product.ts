/** Rows of a tile, and pairs of steps in one. */
export const tileRows = 16;
export const tilePairs = 16;

/** A number in the upper half of 32 bits. */
const floats = new Float32Array(1);
const bits = new Uint32Array(floats.buffer);
function bfloat16(upper: number): number {
  bits[0] = upper << 16;
  return flushed(floats[0]!);
}

/** Subnormal numbers count as zeros. */
const flushed = (a: number): number => (Math.abs(a) < 2 ** -126 ? 0 * a : a);

/** Rounded to float32, to the even one of two that are as close. */
const rounded = (a: number): number => flushed(Math.fround(a));

/**
 * What Intel's manual says of TDPBF16PS, number by number: sums [16, columns] + left [16, 16, 2] · right [16, columns, 2], pairs of bfloat16 as
 * their 16 bits. Those of even and of odd steps are summed apart, then together, and then join the sum that was there. A product of two bfloat16
 * has 16 bits, so that a sum is rounded once.
 */
export function tileProduct(
  sums: Float32Array,
  left: Uint16Array,
  right: Uint16Array,
  columns: number,
): Float32Array {
  return sums.map((before, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns];
    const ofParity = (odd: number): number => {
      let sum = 0;
      for (let pair = 0; pair < tilePairs; pair++) {
        const a = bfloat16(left[2 * (tilePairs * row + pair) + odd]!);
        const b = bfloat16(right[2 * (columns * pair + column) + odd]!);
        sum = rounded(sum + a * b);
      }
      return sum;
    };
    return rounded(flushed(before) + rounded(ofParity(0) + ofParity(1)));
  });
}
