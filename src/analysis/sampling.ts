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
  /** How sure the share helping of the entries not zero is, over the run; null where parts were not kept by parameter. */
  readonly helping: HelpingInterval | null;
}

/** How a share helping varies between samples of the same size. */
export interface HelpingInterval {
  /** Half-width of its 95 % interval; null where it would be wider than ± 20 points, which holds it less often than that. */
  readonly halfWidth: number | null;
  /** The share that samples of two thirds as many examples have on average: noise moves shares towards one half. */
  readonly ofFewer: number;
}

/** An interval of a share that is wider than this to either side is none. */
const widestShare = 0.2;

/**
 * Standard errors [width] of sums, as estimates of those over the whole set, from what each part contributes [parts, width]: by the spread of
 * the blocks that have examples, corrected for a finite set. NaN where a single block has some of them: nothing tells its spread.
 */
export function standardErrors(
  parts: Float64Array,
  width: number,
  { members, examples, from }: SampleBlocks,
): Float64Array {
  const size = examples.reduce((total, count) => total + count, 0);
  // Of a rare class some blocks have no example: they say nothing of its spread.
  const filled = examples.reduce((total, count) => total + Number(count > 0), 0);
  const rest = 1 - size / from;
  const factor = rest === 0 ? 0 : rest * (filled > 1 ? filled / (filled - 1) : NaN);
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

/** How sure an objective's share helping is; null where allocations of blocks were not kept. */
async function helpingOf(
  view: LedgerView,
  name: string,
  sample: SampleBlocks,
): Promise<HelpingInterval | null> {
  const [parts, whole] = [view.rows('part_allocation', name), view.rows('allocation', name)];
  return parts === null || whole === null ? null : helpingInterval(parts, whole, sample);
}

/**
 * How sure the share helping is, of the entries not zero over all segments, given what each part contributes to every allocation [parts, K] and
 * the allocations [K], a row a segment: all allocations are moved together by orthogonal contrasts of the blocks, and signs counted again.
 */
export async function helpingInterval(
  parts: AsyncIterable<Numbers>,
  whole: AsyncIterable<Numbers>,
  sample: SampleBlocks,
): Promise<HelpingInterval> {
  const contrasts = contrastsOf(sample);
  const counts = contrasts.map(() => ({ helping: 0, nonzero: 0 }));
  const others = whole[Symbol.asyncIterator]();
  for await (const row of parts) {
    const all = (await others.next()).value as Numbers;
    const shift = new Float64Array(all.length);
    contrasts.forEach((weights, c) => {
      shift.fill(0);
      sample.members.forEach((part, b) => {
        for (let k = 0; k < shift.length; k++) shift[k]! += weights[b]! * row[part * shift.length + k]!;
      });
      for (let k = 0; k < shift.length; k++) {
        counts[c]!.helping += Number(all[k]! + shift[k]! < 0);
        counts[c]!.nonzero += Number(all[k]! + shift[k]! !== 0);
      }
    });
  }
  const shares = counts.map(({ helping, nonzero }) => helping / Math.max(1, nonzero));
  const ofFewer = shares.reduce((total, share) => total + share, 0) / shares.length;
  const squares = shares.reduce((total, share) => total + (share - ofFewer) ** 2, 0) / shares.length;
  const width = halfWidth(Math.sqrt(2 * squares));
  return { halfWidth: width > widestShare ? null : width, ofFewer };
}

/**
 * Weights of the blocks [2 B − 2, B], by which what they contribute moves a sum by √½ of its standard error on average, each way. So far, since a
 * single block's share of it overstates how many signs of independent entries change, and all of it smooths away how dense entries are near zero.
 */
function contrastsOf({ members, examples, from }: SampleBlocks): number[][] {
  const size = examples.reduce((total, count) => total + count, 0);
  const scale = Math.sqrt(1 - size / from);
  const count = members.length;
  return Array.from({ length: count - 1 }, (_, c) => {
    const own = members.map((_part, b) => scale * Math.cos((Math.PI * (c + 1) * (b + 0.5)) / count));
    const mean = own.reduce((total, weight, b) => total + (weight * examples[b]!) / size, 0);
    return own.map((weight) => weight - mean);
  }).flatMap((weights) => [weights, weights.map((weight) => -weight)]);
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
    helping: await helpingOf(view, name, sample),
  };
}
