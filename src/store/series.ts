import { join } from 'node:path';
import type { MeasuredSplit, SplitLedger } from '../ledger/types.js';
import { type ArraySpec, emptyRow, type SplitField, type StoredNumbers, widthOf } from './arrays.js';
import { journalName, type RunContext } from './context.js';
import { soundLines } from './journal.js';
import type { SegmentRecord, SplitRecord } from './records.js';

/** A split's small series, with the totals that they add up to. */
export interface StoredSplit extends SplitLedger {
  /** Sum over all parameters [T], nats. */
  readonly total: Float64Array;
}

/** The small series of all splits, for the first segments. What is not measured is NaN, or 0 where it is a count. */
export interface Series {
  readonly segments: number;
  readonly subintervals: Int32Array;
  readonly evaluations: Int32Array;
  readonly splits: Readonly<Partial<Record<MeasuredSplit, StoredSplit>>>;
}

/** Reads the series of the first `segments` segments from the journal. */
export async function loadSeries(context: RunContext, segments: number): Promise<Series> {
  const series = emptySeries(context, segments);
  for await (const record of segmentRecords(context)) {
    if (record.segment < segments) fill(series, record);
  }
  return series;
}

/** The stored segments in the order in which they were measured. */
export async function* segmentRecords({ folder }: RunContext): AsyncGenerator<SegmentRecord> {
  for await (const { record } of soundLines(join(folder, journalName))) {
    if (record.type === 'rows') yield* record.segments;
  }
}

/** The numbers of an array that is a series. */
export function columnOf(series: Series, { source }: ArraySpec): StoredNumbers | null {
  if (source.kind === 'segment') return series[source.field];
  return source.kind === 'split' ? series.splits[source.split]![source.field] : null;
}

function emptySeries({ manifest, arrays }: RunContext, segments: number): Series {
  const numbers = (match: (spec: ArraySpec) => boolean): StoredNumbers => {
    const spec = arrays.find(match)!;
    const rows = segments + spec.shape[0]! - manifest.trajectory.iterations;
    return emptyRow(spec.dtype, rows * widthOf(spec));
  };
  const ofSegment = (field: string) =>
    numbers(({ source }) => source.kind === 'segment' && source.field === field) as Int32Array;
  const splits = manifest.splits.map((split) => {
    const of = (field: SplitField) =>
      numbers(({ source }) => source.kind === 'split' && source.split === split && source.field === field);
    const floats = (field: SplitField) => of(field) as Float64Array;
    const counts = (field: SplitField) => of(field) as Int32Array;
    const stored: StoredSplit = {
      loss: floats('loss'),
      total: floats('total'),
      residual: floats('residual'),
      leftResidual: floats('leftResidual'),
      layerSums: floats('layerSums'),
      helping: counts('helping'),
      hurting: counts('hurting'),
      zero: counts('zero'),
    };
    return [split, stored] as const;
  });
  return {
    segments,
    subintervals: ofSegment('subintervals'),
    evaluations: ofSegment('evaluations'),
    splits: Object.fromEntries(splits),
  };
}

function fill(series: Series, record: SegmentRecord): void {
  series.subintervals[record.segment] = record.subintervals;
  series.evaluations[record.segment] = record.evaluations;
  for (const [split, stored] of Object.entries(series.splits)) {
    fillSplit(stored, record.segment, record.splits[split as MeasuredSplit]!);
  }
}

/** A loss row belongs to the segment that it starts; the last one to the segment that it ends. */
function fillSplit(stored: StoredSplit, segment: number, record: SplitRecord): void {
  stored.loss[segment] = record.loss[0];
  if (Number.isNaN(stored.loss[segment + 1])) stored.loss[segment + 1] = record.loss[1];
  for (const field of ['total', 'residual', 'leftResidual'] as const) stored[field][segment] = record[field];
  for (const field of ['layerSums', 'helping', 'hurting', 'zero'] as const) {
    stored[field].set(record[field], segment * record[field].length);
  }
}
