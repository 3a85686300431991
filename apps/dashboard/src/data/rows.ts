import { partsOfOneKind } from 'lossledger/analysis';
import type { ObjectiveData, RunData } from './load.js';

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

/** Places of the parts that are shown: those that the objective is divided into by one thing, such as its classes. Blocks of a sample are none. */
export function shownParts(run: RunData, { name }: ObjectiveData): readonly number[] {
  return partsOfOneKind(run.view.objectives.find((own) => own.name === name)!);
}

/** Sums of layers by part [T, names · L]. */
export interface PartRows extends Rows {
  readonly names: readonly string[];
}

/** Sums of layers by the parts that are shown; null where there are none, or sums were not kept. Throws as `allRows` does. */
export async function partRows(run: RunData, own: ObjectiveData): Promise<PartRows | null> {
  const kept = shownParts(run, own);
  const all = kept.length === 0 ? null : await allRows(run, `part_layer_sums/${own.name}`);
  if (all === null) return null;
  const names = kept.map((part) => own.parts[part]!);
  if (kept.length === own.parts.length) return { ...all, names };
  const L = all.width / own.parts.length;
  const width = kept.length * L;
  const values = new Float64Array(run.segments * width);
  for (let t = 0; t < run.segments; t++) {
    kept.forEach((part, at) => {
      const from = t * all.width + part * L;
      values.set(all.values.subarray(from, from + L), t * width + at * L);
    });
  }
  return { width, values, names };
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
