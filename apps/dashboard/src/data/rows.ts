import type { ObjectiveData, RunData } from './load';

/** Numbers that a panel holds at most: more are a run too large for it, which it says. */
const mostNumbers = 3e7;

/** Rows of one array for all segments that are there [T, width]. */
export interface Rows {
  readonly width: number;
  readonly values: Float64Array;
}

/** Reads all rows of an array; null where the run has none. Throws StoreError where one is damaged, Error where they are too many. */
export async function allRows(run: RunData, name: string): Promise<Rows | null> {
  if (!run.arrays.includes(name)) return null;
  const reading = (await run.reader()).array(name, { from: 0, to: run.segments });
  const width = reading.shape.slice(1).reduce((a, b) => a * b, 1);
  if (width * run.segments > mostNumbers)
    throw new Error(
      `${name} has ${run.segments} × ${width} numbers, more than this panel holds; the microscope shows them iteration by iteration.`,
    );
  const values = new Float64Array(run.segments * width);
  let t = 0;
  for await (const row of reading.rows()) values.set(row, t++ * width);
  return { width, values };
}

/** Sums of neurons [T, N] where they were kept. */
export function neuronRows(run: RunData, own: ObjectiveData): Promise<Rows | null> {
  return allRows(run, `neuron_sums/${own.name}`);
}

/** Sums of rows [from, to) [width]. */
export function rowSums({ width, values }: Rows, from: number, to: number): Float64Array {
  const sums = new Float64Array(width);
  for (let t = from; t < to; t++) for (let k = 0; k < width; k++) sums[k]! += values[t * width + k]!;
  return sums;
}
