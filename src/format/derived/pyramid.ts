import { StoreError } from '../../errors.js';
import type { Numbers } from '../../ledger/types.js';
import { decodeNumbers, encodeNumbers } from '../codec.js';

/*
 * What follows from an objective's allocations and makes them quick to look at. Sums of the first n segments, n a multiple of the stride: any
 * range of segments is the difference of two of them and a few rows. And blocks of segments turned over, so that one parameter's allocations
 * lie side by side: its whole curve is a few reads of some hundred bytes.
 */

/** Segments between two sums. */
export const sumStride = 16;
/** Segments between two rounded sums: what a far move of the cursor reads besides is two rows at most. */
export const roundedStride = 4;
/** Segments of a block of curves. */
export const curveRows = 64;

/** How far a pyramid has come, as `pyramid/OBJECTIVE/index.json` states it. */
export interface PyramidIndex {
  /** SHA-256 of the manifest of the run that it follows from. */
  readonly manifest: string;
  readonly stride: number;
  /** Missing in pyramids that earlier versions made. */
  readonly roundedStride?: number;
  readonly curveRows: number;
  /** Segments of which all sums and all whole blocks of curves are there. */
  readonly segments: number;
  /** Rows of the block of curves behind the whole ones, which a finished run has; left out: there is none. */
  readonly lastRows?: number;
}

/** Files of a pyramid by their path inside the run folder. */
export const pyramidPaths = {
  index: (objective: string) => `pyramid/${objective}/index.json`,
  /**
   * Of the first `segments` segments, float64 [2, K] then int32 [2, K], little-endian: sums of allocations, sums of those above zero, and how
   * many were below and above zero.
   */
  sums: (objective: string, segments: number) => `pyramid/${objective}/sums/${segments}`,
  /** The first of these alone, rounded to float32 [K], little-endian: what a picture needs, in a sixth of the bytes. */
  rounded: (objective: string, segments: number) => `pyramid/${objective}/rounded/${segments}`,
  /** Block of curves [K, 64], the last one of a finished run with the rows that are left, in the precision of the allocations, little-endian. */
  curves: (objective: string, block: number) => `pyramid/${objective}/curves/${block}`,
  /** Bytes `start` to `end` of each of the first blocks of curves, one after the other: no file, but what the server of `lca view` answers. */
  joined: (objective: string, blocks: number, start: number, end: number) =>
    `blocks/${objective}/${blocks}/${start}-${end}`,
};

/** A file to be written. */
export interface PyramidFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Takes allocations row by row and gives the files of the pyramid as they become whole. Holds K · (64 + 6) numbers. */
export class PyramidBuilder {
  readonly #sums: Float64Array;
  readonly #positive: Float64Array;
  readonly #below: Int32Array;
  readonly #above: Int32Array;
  readonly #block: Float32Array | Float64Array;
  #segments = 0;

  /** @param size K. */
  constructor(
    readonly objective: string,
    readonly size: number,
    precision: 'float32' | 'float64',
  ) {
    this.#sums = new Float64Array(size);
    this.#positive = new Float64Array(size);
    this.#below = new Int32Array(size);
    this.#above = new Int32Array(size);
    this.#block =
      precision === 'float32' ? new Float32Array(size * curveRows) : new Float64Array(size * curveRows);
  }

  /**
   * Goes on from the sums that were written of the first `segments` segments, a multiple of 64, as if their rows had been taken. Throws
   * StoreError where the bytes are not so many as they should be.
   */
  resume(segments: number, bytes: Uint8Array): void {
    if (bytes.length !== 24 * this.size || segments % curveRows !== 0)
      throw new StoreError({
        given: `sums of ${segments} segments in ${bytes.length} bytes`,
        expected: `${24 * this.size} bytes, of a multiple of ${curveRows} segments`,
        remedy: 'delete the folder pyramid: it is made anew',
      });
    const part = (at: number, width: number) => bytes.subarray(at * this.size, (at + width) * this.size);
    this.#sums.set(decodeNumbers(part(0, 8), 'float64'));
    this.#positive.set(decodeNumbers(part(8, 8), 'float64'));
    this.#below.set(decodeNumbers(part(16, 4), 'int32'));
    this.#above.set(decodeNumbers(part(20, 4), 'int32'));
    this.#segments = segments;
  }

  /** Segments taken in. */
  get segments(): number {
    return this.#segments;
  }

  /** Takes the next segment's allocations [K]. */
  add(row: Numbers): PyramidFile[] {
    this.#count(row);
    const [block, column] = [this.#block, this.#segments % curveRows];
    for (let k = 0; k < row.length; k++) block[k * curveRows + column] = row[k]!;
    const n = ++this.#segments;
    const files: PyramidFile[] = [];
    if (n % roundedStride === 0)
      files.push({ path: pyramidPaths.rounded(this.objective, n), bytes: encodeNumbers(Float32Array.from(this.#sums)) }); // prettier-ignore
    if (n % sumStride === 0)
      files.push({ path: pyramidPaths.sums(this.objective, n), bytes: this.#sumBytes() });
    if (n % curveRows === 0)
      files.push({
        path: pyramidPaths.curves(this.objective, n / curveRows - 1),
        bytes: encodeNumbers(block),
      });
    return files;
  }

  /** The rows that fill no whole block, once there will be no more: one file, or none where nothing is left. */
  finish(): PyramidFile[] {
    const rest = this.#segments % curveRows;
    if (rest === 0) return [];
    const last = this.#block.slice(0, rest * this.size);
    for (let k = 0; k < this.size; k++)
      last.set(this.#block.subarray(k * curveRows, k * curveRows + rest), k * rest);
    return [{ path: pyramidPaths.curves(this.objective, Math.floor(this.#segments / curveRows)), bytes: encodeNumbers(last) }]; // prettier-ignore
  }

  #count(row: Numbers): void {
    const [sums, positive, below, above] = [this.#sums, this.#positive, this.#below, this.#above];
    for (let k = 0; k < row.length; k++) {
      const value = row[k]!;
      sums[k]! += value;
      if (value > 0) {
        positive[k]! += value;
        above[k]!++;
      } else if (value < 0) below[k]!++;
    }
  }

  #sumBytes(): Uint8Array {
    const bytes = new Uint8Array(24 * this.size);
    let at = 0;
    for (const numbers of [this.#sums, this.#positive, this.#below, this.#above]) {
      encodeNumbers(numbers, bytes.subarray(at, (at += numbers.byteLength)));
    }
    return bytes;
  }
}

/** Bytes of the pyramid of one objective of a finished run of T segments and K parameters. */
export function pyramidBytes(T: number, K: number, precision: 'float32' | 'float64'): number {
  const curves = T * K * (precision === 'float32' ? 4 : 8);
  return curves + Math.floor(T / sumStride) * 24 * K + Math.floor(T / roundedStride) * 4 * K;
}
