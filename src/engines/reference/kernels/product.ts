/** Extents of a matrix product. */
type Extents = readonly [rows: number, inner: number, columns: number];
/** Where the result and the operands begin in their arrays. */
type Starts = readonly [out: number, a: number, b: number];

/** Adds a [rows, inner] · b [inner, columns] to out [rows, columns], all row-major, each sum in order of the inner axis. */
export function multiplyInto(
  out: Float64Array,
  a: Float64Array,
  b: Float64Array,
  [rows, inner, columns]: Extents,
  [outAt, aAt, bAt]: Starts = [0, 0, 0],
): void {
  for (let i = 0; i < rows; i++) {
    const row = outAt + i * columns;
    for (let k = 0; k < inner; k += 4) {
      const from = aAt + i * inner + k;
      const b0 = bAt + k * columns;
      // Four terms in one pass over the row, in the order in which one pass each would add them.
      if (k + 4 <= inner) addFour(out, row, a, from, b, b0, columns);
      else for (let l = 0; l < inner - k; l++) addOne(out, row, a[from + l]!, b, b0 + l * columns, columns);
    }
  }
}

function addOne(
  out: Float64Array,
  row: number,
  a: number,
  b: Float64Array,
  at: number,
  columns: number,
): void {
  for (let j = 0; j < columns; j++) out[row + j] = out[row + j]! + a * b[at + j]!;
}

function addFour(
  out: Float64Array,
  row: number,
  a: Float64Array,
  from: number,
  b: Float64Array,
  b0: number,
  columns: number,
): void {
  const [b1, b2, b3] = [b0 + columns, b0 + 2 * columns, b0 + 3 * columns];
  const [a0, a1, a2, a3] = [a[from]!, a[from + 1]!, a[from + 2]!, a[from + 3]!];
  for (let j = 0; j < columns; j++) {
    out[row + j] = out[row + j]! + a0 * b[b0 + j]! + a1 * b[b1 + j]! + a2 * b[b2 + j]! + a3 * b[b3 + j]!;
  }
}

/** The transpose [columns, rows] of x [rows, columns]. */
export function transposed(x: Float64Array, rows: number, columns: number): Float64Array {
  const result = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) result[j * rows + i] = x[i * columns + j]!;
  }
  return result;
}
