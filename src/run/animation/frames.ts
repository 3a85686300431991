import { requireSegments } from '../../analysis/checks.js';
import { countInto, createHistogram, cellCount, cellStart, narrow } from '../../analysis/rows/histogram.js';
import { UsageError } from '../../errors.js';
import { rangesOf } from '../../ledger/layout.js';
import type { LedgerView } from '../../ledger/view.js';
import { sum } from '../../num/sums.js';

/** Which frames an animation has. */
export interface FrameOptions {
  /** Segments a frame, whose allocations are added up. */
  readonly every: number;
  /** Whether a frame shows what was allocated since the start. */
  readonly cumulative: boolean;
  /** Default: the first that was measured. */
  readonly objective?: string | undefined;
}

/** What one frame shows. */
export interface AnimationFrame {
  /** [K] in the loss's unit; overwritten by the next frame. */
  readonly values: Float64Array;
  /** Σ of them by layer [layers]. */
  readonly sums: Float64Array;
  /** Row of θ at which it ends. */
  readonly row: number;
}

/** The frames of a run, read anew at each call. */
export interface Frames {
  readonly objective: string;
  readonly count: number;
  readonly read: () => AsyncGenerator<AnimationFrame>;
}

/** Frames of a run. Throws UsageError before the first segment, where allocations were not kept by parameter, and for an objective that it does not have. */
export function framesOf(view: LedgerView, { every, cumulative, objective: asked }: FrameOptions): Frames {
  const names = view.objectives.map(({ name }) => name);
  const objective = asked ?? names[0] ?? '';
  if (!names.includes(objective)) throw unknownObjective(objective, names);
  requireSegments(view);
  const rows = view.rows('allocation', objective);
  if (rows === null) throw noAllocations();
  const ranges = view.layout.layers.map((layer) => rangesOf(view.layout, layer));
  const read = async function* (): AsyncGenerator<AnimationFrame> {
    const values = new Float64Array(view.layout.size);
    let row = 0;
    let isFresh = true;
    for await (const own of rows) {
      if (isFresh && !cumulative) values.fill(0);
      for (let k = 0; k < values.length; k++) values[k]! += own[k]!;
      isFresh = ++row % every === 0;
      if (isFresh || row === view.segments) {
        const sums = ranges.map((places) => sum(places.map(([from, to]) => sum(values.subarray(from, to)))));
        yield { values, sums: Float64Array.from(sums), row };
      }
    }
  };
  return { objective, count: Math.ceil(view.segments / every), read };
}

/** What the colours of an animation stand for. */
export interface FrameScale {
  /** Allocation of the deepest colours, and the share of nonzero entries beyond it. */
  readonly largest: number;
  readonly beyond: number;
  /** Largest magnitude of a layer's sum in any frame. */
  readonly largestSum: number;
}

/** One entry in so many has a deeper colour than there is. */
const beyondDefault = 0.001;

/** Reads all frames once to fix the scale; `given` is the allocation of the deepest colours where the user chose it. */
export async function measureFrames(frames: AsyncIterable<AnimationFrame>, given?: number): Promise<FrameScale> {
  const histogram = createHistogram();
  let largestSum = 0;
  for await (const { values, sums } of frames) {
    countInto(histogram, narrow(values));
    largestSum = sums.reduce((most, value) => Math.max(most, Math.abs(value)), largestSum);
  }
  const { helping, hurting } = histogram;
  const total = sum(helping.counts) + sum(hurting.counts);
  const maximum = Math.max(helping.maximum, hurting.maximum);
  let [cell, above] = [cellCount - 1, 0];
  const next = (): number => above + helping.counts[cell]! + hurting.counts[cell]!;
  const isInside = (): boolean => (given === undefined ? next() <= beyondDefault * total : cellStart(cell) >= given);
  while (cell > 0 && isInside()) {
    above = next();
    cell--;
  }
  const largest = given ?? (Math.min(maximum, cellStart(cell + 1)) || 1);
  return { largest, beyond: total > 0 ? above / total : 0, largestSum };
} // prettier-ignore

function unknownObjective(given: string, names: readonly string[]): UsageError {
  return new UsageError({
    given: `objective ${given}`,
    expected: names.length > 0 ? `one of ${names.join(', ')}` : 'an objective that was measured',
    remedy: 'choose another --objective',
  });
}

function noAllocations(): UsageError {
  return new UsageError({
    given: 'a run without allocations by parameter',
    expected: 'an allocation of each parameter in each segment',
    remedy: 'measure the run again with --keep parameters',
  });
}
