import { fold, key, normal } from './random.js';
import { addScaledInto, dot, type Floats } from './sums.js';

/** Directions beyond those asked for, with which iterations converge faster. */
const oversampling = 8;
const iterations = 6;

/** Rows [K], read from the first to the last each time. */
type Rows = () => AsyncIterable<Floats>;

/**
 * Principal directions of rows [n, K] about their mean: `count` orthonormal vectors [K], that of the largest variance first; zeros where the rows
 * span fewer. By subspace iteration from a fixed start: the rows are read eight times, one in memory at a time, with some count + 8 arrays [K].
 */
export async function principalDirections(rows: Rows, size: number, count: number): Promise<Float64Array[]> {
  const mean = await meanOf(rows, size);
  let basis = Array.from({ length: Math.min(count + oversampling, size) }, (_, r) =>
    normal(fold(key('principal'), r), size),
  );
  orthonormalise(basis);
  for (let pass = 0; pass < iterations; pass++) {
    basis = await applied(rows, mean, basis);
    orthonormalise(basis);
  }
  const sorted = rotated(basis, await covariance(rows, mean, basis));
  return Array.from({ length: count }, (_, r) => sorted[r] ?? new Float64Array(size));
}

async function meanOf(rows: Rows, size: number): Promise<Float64Array> {
  const mean = new Float64Array(size);
  let count = 0;
  for await (const row of rows()) {
    addScaledInto(mean, 1, row);
    count++;
  }
  return mean.map((value) => value / count);
}

/** Σ over rows of (row − mean) times its coordinates in the basis: the basis [L][K] times the rows' scatter. */
async function applied(
  rows: Rows,
  mean: Float64Array,
  basis: readonly Float64Array[],
): Promise<Float64Array[]> {
  const next = basis.map(({ length }) => new Float64Array(length));
  for await (const row of rows()) {
    const centred = mean.map((value, k) => row[k]! - value);
    next.forEach((sum, r) => { addScaledInto(sum, dot(basis[r]!, centred), centred); }); // prettier-ignore
  }
  return next;
}

/** Scatter of the rows in the basis [L, L]. */
async function covariance(
  rows: Rows,
  mean: Float64Array,
  basis: readonly Float64Array[],
): Promise<number[][]> {
  const scatter = basis.map(() => basis.map(() => 0));
  for await (const row of rows()) {
    const centred = mean.map((value, k) => row[k]! - value);
    const coordinates = basis.map((direction) => dot(direction, centred));
    coordinates.forEach((a, r) => {
      coordinates.forEach((b, s) => (scatter[r]![s]! += a * b));
    });
  }
  return scatter;
}

/** What is left of a vector, relative to its length, that counts as rounding. */
const negligible = 1e-10;

/** Makes vectors [n][K] orthonormal, one after the other; those that depend on earlier ones become zeros. */
export function orthonormalise(vectors: readonly Float64Array[]): void {
  vectors.forEach((vector, r) => {
    const before = Math.sqrt(dot(vector, vector));
    // The second time takes away what rounding left in the first.
    for (let time = 0; time < 2; time++) {
      for (const other of vectors.slice(0, r)) addScaledInto(vector, -dot(other, vector), other);
    }
    const length = Math.sqrt(dot(vector, vector));
    const scale = length > negligible * before ? 1 / length : 0;
    for (let k = 0; k < vector.length; k++) vector[k]! *= scale;
  });
}

/** The basis turned onto the axes of a symmetric matrix [L, L] in it, that of the largest eigenvalue first (Jacobi's method). */
function rotated(basis: readonly Float64Array[], matrix: number[][]): Float64Array[] {
  const vectors = basis.map((vector) => vector.slice());
  const L = vectors.length;
  for (let sweep = 0; sweep < 30; sweep++) {
    for (let p = 0; p < L; p++) for (let q = p + 1; q < L; q++) rotate(matrix, vectors, p, q);
  }
  const order = [...vectors.keys()].sort((a, b) => matrix[b]![b]! - matrix[a]![a]! || a - b);
  return order.map((r) => vectors[r]!);
}

/** One rotation that makes entry (p, q) zero, of the matrix and of the vectors. */
function rotate(a: number[][], vectors: readonly Float64Array[], p: number, q: number): void {
  const off = a[p]![q]!;
  if (Math.abs(off) <= Number.EPSILON * Math.sqrt(Math.abs(a[p]![p]! * a[q]![q]!))) return;
  const ratio = (a[q]![q]! - a[p]![p]!) / (2 * off);
  const tangent = (ratio < 0 ? -1 : 1) / (Math.abs(ratio) + Math.hypot(ratio, 1));
  const cosine = 1 / Math.hypot(tangent, 1);
  const sine = tangent * cosine;
  for (const row of a) turn(row, p, row, q, cosine, sine);
  for (let k = 0; k < a.length; k++) turn(a[p]!, k, a[q]!, k, cosine, sine);
  for (let k = 0; k < vectors[p]!.length; k++) turn(vectors[p]!, k, vectors[q]!, k, cosine, sine);
}

function turn(
  x: number[] | Float64Array,
  i: number,
  y: number[] | Float64Array,
  j: number,
  cosine: number,
  sine: number,
): void {
  const [u, v] = [x[i]!, y[j]!];
  x[i] = cosine * u - sine * v;
  y[j] = sine * u + cosine * v;
}
