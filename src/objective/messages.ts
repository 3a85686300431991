import type { Graph } from '../graph/types.js';
import type { Problem } from '../errors.js';
import type { AtomStrip } from '../ledger/types.js';
import type { Want } from '../quadrature/types.js';
import type { Lane, MaskedExamples } from './chunks.js';

/** All that a worker needs, sent once; examples and slots are shared memory. */
export interface WorkerSetup {
  readonly engine: string;
  /** K */
  readonly size: number;
  /** Gradient graph of each kind of program, by `programKey`. */
  readonly graphs: ReadonlyMap<string, Graph>;
  readonly lanes: readonly Lane[];
  /** Of each objective. */
  readonly objectives: readonly MaskedExamples[];
  readonly masksLabels: boolean;
  readonly strips: readonly AtomStrip[];
  readonly slots: readonly Slot[];
}

/** Shared memory of one evaluation in flight. */
export interface Slot {
  /** θ [K] */
  readonly theta: Float64Array;
  /** Motions [K] that slopes are taken along: this segment's and the next one's. None where nothing is divided into cells. */
  readonly directions: readonly Float64Array[];
  /** Loss sum of each piece, all lanes' pieces numbered through. */
  readonly losses: Float64Array;
  /** Gradient sum [K] of each lane; null for lanes that are no part of a whole. */
  readonly gradients: readonly (Float64Array | null)[];
  /** Of each piece, its slopes [atoms] along each direction; null for pieces that are no cell. */
  readonly slopes: readonly (readonly Float64Array[] | null)[];
  /** Gradient sum [K] of each piece that is a cell, where they are kept. */
  readonly pieceGradients: readonly (Float64Array | null)[];
}

/** Asks a worker for one lane of the evaluation in a slot. */
export interface LaneTask {
  readonly slot: number;
  /** Distinguishes evaluations that used the same slot one after the other. */
  readonly evaluation: number;
  readonly lane: number;
  /** Motions that slopes are wanted along. */
  readonly directions: number;
  readonly want: Want;
}

export type WorkerReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly task: LaneTask }
  | { readonly kind: 'failed'; readonly problem: Problem; readonly exitCode: 1 | 2 };
