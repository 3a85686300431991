import type { Numbers } from '../../ledger/types.js';
import type { LedgerView } from '../../ledger/view.js';
import { firstNonFinite } from '../../num/sums.js';
import { heldOutOf, parameterRows } from '../parameters-only.js';
import { refuseLength, refuseNumber } from '../checks.js';

/** Rows that analyses read one at a time: θ, and large columns of the main objective or of the one that is held out. */
export type StreamName =
  | 'allocation'
  | 'heldOutAllocation'
  | 'heldOutNeurons'
  | 'neurons'
  | 'partLayers'
  | 'partNeurons'
  | 'partAllocation'
  | 'gradientSigns'
  | 'gradientNorms'
  | 'partGradientNorms'
  | 'motionNorms'
  | 'theta';

/** Sees a row: allocations by segment t; θ by row. The row may be overwritten afterwards. */
export type RowHandler = (row: Numbers, index: number) => void;

/** What an analysis wants to see of each stream in the first pass, in the second, …: it may use all that it saw before. */
export interface Watcher<R> {
  readonly passes: readonly Partial<Readonly<Record<StreamName, RowHandler>>>[];
  /** Called after the last pass. */
  readonly finish: () => R;
}

/** What all analyses of a run are made from. */
export interface ThemeContext {
  readonly view: LedgerView;
  /** The main objective. */
  readonly objective: string;
  /** The first objective after it; null where it is alone. */
  readonly heldOut: string | null;
  /** Names of the main objective's parts; empty where it is not divided. */
  readonly parts: readonly string[];
  /** Shape of one example, such as [1, 28, 28]. */
  readonly exampleShape: readonly number[];
  /** Whether the run has a stream. */
  readonly has: (stream: StreamName) => boolean;
  /** Σ over the segments of the main objective's allocations [K] in the loss's unit, after the first pass; null without them. */
  readonly totals: Float64Array | null;
}

/** Sources of the streams that a run has. */
export type Streams = Partial<Readonly<Record<StreamName, AsyncIterable<Numbers>>>>;

/** Begins to read rows [T + 1][K] of θ, anew at each call. */
export type ThetaRows = () => AsyncIterable<Numbers>;

/** The streams of a view; rows [K] of θ are no column, and are given apart. */
export function streamsOf(view: LedgerView, theta: ThetaRows | null): Streams {
  const [main] = view.objectives;
  const heldOut = heldOutOf(view.objectives);
  if (main === undefined || view.segments === 0) return {};
  const rows = (name: Parameters<LedgerView['rows']>[0], objective = main) => view.rows(name, objective.name);
  const divided = main.parts.length > 1;
  const found = {
    allocation: rows('allocation'),
    neurons: rows('neuron_sums'),
    heldOutAllocation: heldOut === undefined ? null : rows('allocation', heldOut),
    heldOutNeurons: heldOut === undefined ? null : rows('neuron_sums', heldOut),
    partLayers: divided ? rows('part_layer_sums') : null,
    partNeurons: divided ? rows('part_neuron_sums') : null,
    partAllocation: divided ? rows('part_allocation') : null,
    gradientSigns: rows('gradient_sign'),
    gradientNorms: rows('gradient_norm'),
    partGradientNorms: divided ? rows('part_gradient_norm') : null,
    motionNorms: view.rows('motion_norm'),
    theta: theta && { [Symbol.asyncIterator]: () => parameterRows(theta(), view.layout) },
  };
  return Object.fromEntries(Object.entries(found).filter(([, source]) => source !== null));
}

/** Sums rows [width] over the segments. */
export function summing(width: number): { readonly totals: Float64Array; readonly add: RowHandler } {
  const totals = new Float64Array(width);
  const add = (row: Numbers): void => {
    for (let i = 0; i < width; i++) totals[i]! += row[i]!;
  };
  return { totals, add };
}

/** Called after each row with the rows read so far, of `total`. */
export type RowProgress = (rows: number, total: number) => void;

/** What every reader of one stream does, pass by pass. */
interface Reading {
  readonly stream: StreamName;
  readonly handlers: readonly RowHandler[];
}

function readingsOf(watchers: readonly Watcher<unknown>[], streams: Streams): Reading[] {
  const passes = Math.max(0, ...watchers.map((watcher) => watcher.passes.length));
  return Array.from({ length: passes }, (_, pass) => pass).flatMap((pass) =>
    (Object.keys(streams) as StreamName[]).flatMap((stream) => {
      const handlers = watchers.flatMap((watcher) => watcher.passes[pass]?.[stream] ?? []);
      return handlers.length > 0 ? [{ stream, handlers }] : [];
    }),
  );
}

/**
 * Reads every stream that anybody wants once a pass, row by row, and shows each row to all who want it. Holds one row at a time.
 *
 * @throws NumericError for a NaN or an infinity in a row, DataError where there are more or fewer rows than segments.
 */
export async function sweep(
  watchers: readonly Watcher<unknown>[],
  streams: Streams,
  segments: number,
  onProgress?: RowProgress,
): Promise<void> {
  const readings = readingsOf(watchers, streams);
  const total = readings.reduce((count, { stream }) => count + segments + Number(stream === 'theta'), 0);
  let rows = 0;
  for (const { stream, handlers } of readings) {
    let index = 0;
    for await (const row of streams[stream]!) {
      requireFinite(stream, row, index);
      for (const handle of handlers) handle(row, index);
      index++;
      onProgress?.(++rows, total);
    }
    const expected = segments + Number(stream === 'theta');
    if (index !== expected) refuseLength(`rows of ${stream}`, index, expected);
  }
}

function requireFinite(stream: string, row: Numbers, index: number): void {
  const at = row instanceof Int32Array || row instanceof Uint8Array ? -1 : firstNonFinite(row);
  if (at >= 0) refuseNumber(`${stream}[${at}]`, stream, row[at]!, index);
}
