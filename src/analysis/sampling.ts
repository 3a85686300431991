import type { Numbers, SampleBlocks } from '../ledger/types.js';
import type { LedgerView } from '../ledger/view.js';

/** Student's t of 15 degrees of freedom, which 16 blocks have, for 95 % on both sides. */
const studentT = 2.1314495455597742;

/** Half-width of a 95 % interval by its standard error. */
export const halfWidth = (standardError: number): number => studentT * standardError;

/** Intervals of what was measured on a sample: estimates of the whole set's numbers, each ± its half-width at 95 %. */
export interface SamplingAnalysis {
  /** Examples that were measured, of how many, in how many blocks. */
  readonly examples: number;
  readonly from: number;
  readonly blocks: number;
  /** Half-widths of the loss at each row of θ [T+1], and of its change over the run, in the loss's unit. */
  readonly loss: readonly number[];
  readonly lossChange: number;
  /** Half-widths of all parameters' allocation in each segment [T]. */
  readonly totals: readonly number[];
  /** Half-widths of each layer's total over the run [layers]. */
  readonly layers: readonly number[];
  /** Half-width of the share helping of the entries not zero, over the run; null where parts were not kept by parameter. */
  readonly helping: number | null;
}

/**
 * Standard errors [width] of sums, as estimates of those over the whole set, from what each part contributes [parts, width]: by the spread of
 * the blocks, corrected for a finite set.
 */
export function standardErrors(
  parts: Float64Array,
  width: number,
  { members, examples, from }: SampleBlocks,
): Float64Array {
  const size = examples.reduce((total, count) => total + count, 0);
  const factor = (1 - size / from) * (members.length / (members.length - 1));
  return Float64Array.from({ length: width }, (_, k) => {
    const own = members.map((part) => parts[part * width + k]!);
    const whole = own.reduce((total, value) => total + value, 0);
    const squares = own.reduce((total, value, b) => total + (value - (examples[b]! / size) * whole) ** 2, 0);
    return Math.sqrt(Math.max(0, factor * squares));
  });
}

/** Σ over each of `groups` of [groups · width] numbers: [groups]. */
function summed(values: Float64Array, width: number): Float64Array {
  return Float64Array.from({ length: values.length / width }, (_, group) =>
    values.subarray(group * width, (group + 1) * width).reduce((total, value) => total + value, 0),
  );
}

/**
 * Half-width of the share helping, of the entries not zero, by leaving out one block at a time: the signs of what is left, over all segments; null
 * where allocations of blocks were not kept.
 */
async function helpingInterval(view: LedgerView, name: string, sample: SampleBlocks): Promise<number | null> {
  const [parts, whole] = [view.rows('part_allocation', name), view.rows('allocation', name)];
  if (parts === null || whole === null) return null;
  const { members, examples, from } = sample;
  const size = examples.reduce((total, count) => total + count, 0);
  const counts = members.map(() => ({ helping: 0, nonzero: 0 }));
  const others = whole[Symbol.asyncIterator]();
  for await (const row of parts) {
    const all = (await others.next()).value as Numbers;
    for (let k = 0; k < all.length; k++) {
      const own = members.map((part) => row[part * all.length + k]!);
      const drawn = own.reduce((total, value) => total + value, 0);
      counts.forEach((count, b) => {
        // What belongs to no example, such as weight decay, stays.
        const left = all[k]! - drawn + ((drawn - own[b]!) * size) / (size - examples[b]!);
        count.helping += Number(left < 0);
        count.nonzero += Number(left !== 0);
      });
    }
  }
  const shares = counts.map(({ helping, nonzero }) => helping / Math.max(1, nonzero));
  const mean = shares.reduce((total, share) => total + share, 0) / shares.length;
  const squares = shares.reduce((total, share) => total + (share - mean) ** 2, 0);
  return halfWidth(Math.sqrt((1 - size / from) * ((shares.length - 1) / shares.length) * squares));
}

/** Intervals of an objective's losses and sums; null where it was measured on all its examples. Reads the parts' sums once. */
export async function analyseSampling(view: LedgerView, name: string): Promise<SamplingAnalysis | null> {
  const sample = view.objectives.find((objective) => objective.name === name)?.sample ?? null;
  if (sample === null || view.segments === 0) return null;
  const layers = view.layout.layers.length;
  const losses = view.column('part_loss', name);
  const parts = losses.length / (view.segments + 1);
  const lossAt = (row: number) => losses.subarray(row * parts, (row + 1) * parts);
  const change = lossAt(view.segments).map((end, part) => end - losses[part]!);
  const run = new Float64Array(parts * layers);
  const totals: number[] = [];
  for await (const row of view.rows('part_layer_sums', name)!) {
    for (let k = 0; k < run.length; k++) run[k]! += row[k]!;
    totals.push(halfWidth(standardErrors(summed(row as Float64Array, layers), 1, sample)[0]!));
  }
  const widths = (values: Float64Array, width: number) =>
    [...standardErrors(values, width, sample)].map(halfWidth);
  return {
    examples: sample.examples.reduce((total, count) => total + count, 0),
    from: sample.from,
    blocks: sample.members.length,
    loss: Array.from({ length: view.segments + 1 }, (_, row) => widths(lossAt(row), 1)[0]!),
    lossChange: widths(change, 1)[0]!,
    totals,
    layers: widths(run, layers),
    helping: await helpingInterval(view, name, sample),
  };
}
