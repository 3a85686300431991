import type { Reading } from '../../formats/reading.js';
import { listed } from '../checks.js';
import type { Recording } from '../types.js';
import { numbersOf, sameNumbers } from './values.js';

/** A parameter with its numbers in the model's file, and how those of a recorded tensor are put into its order. */
export interface Placed {
  readonly name: string;
  readonly data: Float32Array;
  readonly tensor: string;
  readonly arranged: (recorded: Float32Array) => Float32Array;
}

/** Steps at the end that are looked at. */
const lastSteps = 16;
/** How much further than in any of these steps a parameter may have moved after the last one. */
const factor = 2;

/**
 * Whether the model's file is of a moment behind the last row: parameters that are others there (`moved`) are no further from it than
 * steps go, and their numbers stand nowhere else in that row. So it is where weights are clipped behind the optimiser's step, or another optimiser
 * moves some of them. Null: it is not, so that something was read as what it is not.
 */
export async function beyondLastRow(
  recording: Recording,
  equal: readonly string[],
  moved: readonly Placed[],
): Promise<Reading | null> {
  if (recording.flat !== null) return null;
  for (const each of moved) {
    if ((await standsElsewhere(recording, each)) || !(await isNear(recording, each))) return null;
  }
  const last = recording.rows - 1;
  return {
    about: 'model file',
    decision: `row ${last} is its in ${listed(equal)}; ${listed(moved.map(({ name }) => name))} moved after that row was recorded, which no row shows`,
    evidence: 'they are no further from it than steps go; weights that are clipped, or moved by another optimiser, behind the recorded step are so',
    warning: true,
  }; // prettier-ignore
}

/** Whether the numbers of a parameter are, in some order, those of a recorded tensor in the last row. */
async function standsElsewhere(recording: Recording, { data }: Placed): Promise<boolean> {
  const sorted = Float32Array.from(data).sort();
  for (const name of recording.tensors.keys()) {
    const [row] = await numbersOf(recording, name, [recording.rows - 1]).catch(() => [undefined]);
    if (row?.length === data.length && sameNumbers(sorted, Float32Array.from(row).sort())) return true;
  }
  return false;
}

async function isNear(recording: Recording, { data, tensor, arranged }: Placed): Promise<boolean> {
  const { rows } = recording;
  const count = Math.min(rows, lastSteps + 1);
  const read = await numbersOf(recording, tensor, Array.from({ length: count }, (_, k) => rows - count + k)); // prettier-ignore
  const steps = read.slice(1).map((row, k) => distance(row, read[k]!));
  return distance(arranged(read.at(-1)!), data) <= factor * Math.max(...steps);
}

function distance(a: Float32Array, b: Float32Array): number {
  return Math.sqrt(a.reduce((sum, value, k) => sum + (value - b[k]!) ** 2, 0));
}
