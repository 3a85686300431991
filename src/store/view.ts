import type { LedgerView, MeasuredSplit } from '../ledger/types.js';
import type { ArraySource, StoredNumbers } from './arrays.js';
import { readChunk } from './chunks.js';
import type { RunContext } from './context.js';
import { loadSeries } from './series.js';

/** The ledger of the first `segments` segments. The small series are in memory; rows are read one at a time. */
export async function makeView(context: RunContext, segments: number): Promise<LedgerView> {
  const { manifest, layout } = context;
  const series = await loadSeries(context, segments);
  const { iteration } = manifest.trajectory;
  const rowsOf = (kind: ArraySource['kind'], split: MeasuredSplit): AsyncIterable<StoredNumbers> | null =>
    rowsOfSplit(context, kind, split, segments);
  return {
    segments,
    iteration: Int32Array.from({ length: segments + 1 }, (_, row) => iteration?.[row] ?? row),
    layout,
    unit: manifest.objective.unit,
    rule: manifest.quadrature.rule,
    tolerance: manifest.quadrature.tolerance,
    subintervals: series.subintervals,
    evaluations: series.evaluations,
    split: (name) => series.splits[name] ?? null,
    neuronRows: (name) => rowsOf('neurons', name) as AsyncIterable<Float64Array> | null,
    allocationRows: (name) => narrowed(rowsOf('allocation', name)),
  };
}

/** Analyses read allocations as float32, however they are stored. */
function narrowed(rows: AsyncIterable<StoredNumbers> | null): AsyncIterable<Float32Array> | null {
  if (rows === null) return null;
  return {
    async *[Symbol.asyncIterator]() {
      for await (const row of rows) yield row instanceof Float32Array ? row : Float32Array.from(row);
    },
  };
}

function rowsOfSplit(
  context: RunContext,
  kind: ArraySource['kind'],
  split: MeasuredSplit,
  segments: number,
): AsyncIterable<StoredNumbers> | null {
  const spec = context.arrays.find(
    ({ source }) => source.kind === kind && 'split' in source && source.split === split,
  );
  if (spec === undefined) return null;
  return {
    async *[Symbol.asyncIterator]() {
      for (let segment = 0; segment < segments; segment++) yield await readChunk(context, spec, segment);
    },
  };
}
