import type { Reading } from '../../formats/reading.js';
import { listed } from '../checks.js';
import { numbersOf } from './values.js';
import type { ModelTensor, ModelWeights, Recording } from '../types.js';

/** Rows that are compared, at most: the first, the last, and some between. */
const mostRows = 17;
/** Difference, as a share of the largest number, that is no more than rounding. */
const rounding = 1e-6;

/** How far a statistic of a recording is at most from that of the model's file. */
interface Distance {
  readonly name: string;
  /** Largest difference of two numbers, as a share of the largest number of both. */
  readonly share: number;
  readonly row: number;
}

/**
 * Warns of means and variances that a recording moves and that are measured as the model's file has them: every row but one is then
 * measured by statistics that training did not have there.
 */
export async function statisticsReadings(
  recording: Recording,
  { tensors }: ModelWeights,
  recorded: ReadonlyMap<string, string>,
): Promise<Reading[]> {
  const distances: Distance[] = [];
  for (const tensor of tensors) {
    const name = tensor.statistic === true ? recorded.get(tensor.name) : undefined;
    const farthest = name === undefined ? null : await distanceOf(recording, name, tensor);
    if (farthest !== null && farthest.share > rounding) distances.push(farthest);
  }
  if (distances.length === 0) return [];
  distances.sort((a, b) => b.share - a.share);
  const each = distances.map(
    ({ name, share, row }) => `${name} (by ${percent(share)} of its largest number at row ${row})`,
  );
  const compared = rowsBetween(recording).length;
  return [
    {
      about: 'running statistics',
      decision: `every row is measured by those in the model’s file, and the recording has others: ${listed(each)}. Losses are those of another network than was trained; to measure by the statistics of each chunk, as training does, export with training=TrainingMode.TRAINING`,
      evidence: `compared at ${compared === recording.rows ? `all ${compared}` : `${compared} of ${recording.rows}`} rows`,
      warning: true,
    },
  ];
}

async function distanceOf(recording: Recording, name: string, tensor: ModelTensor): Promise<Distance | null> {
  const data = tensor.data();
  if (data === null) return null;
  let farthest: Distance = { name: tensor.name, share: 0, row: 0 };
  for (const row of rowsBetween(recording)) {
    const [numbers] = await numbersOf(recording, name, [row]);
    const share = shareOf(numbers!, data);
    if (share > farthest.share) farthest = { ...farthest, share, row };
  }
  return farthest;
}

function shareOf(numbers: Float32Array, data: Float32Array): number {
  let [difference, largest] = [0, 0];
  for (const [k, value] of data.entries()) {
    difference = Math.max(difference, Math.abs(numbers[k]! - value));
    largest = Math.max(largest, Math.abs(numbers[k]!), Math.abs(value));
  }
  return largest === 0 ? 0 : difference / largest;
}

function rowsBetween({ rows }: Recording): number[] {
  const count = Math.min(rows, mostRows);
  return Array.from({ length: count }, (_, k) => Math.round((k * (rows - 1)) / (count - 1)));
}

const percent = (share: number): string => `${Number((100 * share).toPrecision(2))} %`;
