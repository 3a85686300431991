/** Rows whose sum is kept. */
const blockRows = 64;

/**
 * Number series by time, and their sums. A range is added up from its own rows and blocks of rows, never as a difference of running sums: where
 * a loss fell by many powers of ten, late rows are below the rounding of those.
 */
export class Prefix {
  /** Sums of the first rows [T + 1, width]. */
  readonly sums: Float64Array;
  /** Sums of whole blocks of rows. */
  readonly #blocks: Float64Array;

  constructor(
    readonly values: ArrayLike<number>,
    readonly width: number,
  ) {
    const rows = values.length / width;
    this.sums = new Float64Array((rows + 1) * width);
    for (let k = 0; k < values.length; k++) this.sums[k + width] = this.sums[k]! + values[k]!;
    this.#blocks = new Float64Array(Math.floor(rows / blockRows) * width);
    for (let k = 0; k < this.#blocks.length * blockRows; k++)
      this.#blocks[Math.floor(k / (blockRows * width)) * width + (k % width)]! += values[k]!;
  }

  /** Sums [width] of rows [from, to). */
  over(from: number, to: number): Float64Array {
    const { width, values } = this;
    const found = new Float64Array(width);
    for (let t = from; t < to;) {
      const isBlock = t % blockRows === 0 && t + blockRows <= to;
      const [terms, at] = isBlock ? [this.#blocks, t / blockRows] : [values, t];
      for (let k = 0; k < width; k++) found[k]! += terms[at * width + k]!;
      t += isBlock ? blockRows : 1;
    }
    return found;
  }
}
