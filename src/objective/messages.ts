import type { Examples } from '../data/types.js';
import type { Graph } from '../graph/types.js';
import type { Problem } from '../errors.js';
import type { Lane } from './chunks.js';

/** All that a worker needs, sent once; examples and slots are shared memory. */
export interface WorkerSetup {
  readonly engine: string;
  /** Gradient graph of each chunk size. */
  readonly graphs: ReadonlyMap<number, Graph>;
  readonly lanes: readonly Lane[];
  /** Of each part, all objectives' parts numbered through. */
  readonly examples: readonly Examples[];
  readonly slots: readonly Slot[];
}

/** Shared memory of one evaluation in flight. */
export interface Slot {
  /** θ [K] */
  readonly theta: Float64Array;
  /** Loss sum of each lane. */
  readonly losses: Float64Array;
  /** Gradient sum [K] of each lane. */
  readonly gradients: readonly Float64Array[];
}

/** Asks a worker for one lane of the evaluation in a slot. */
export interface LaneTask {
  readonly slot: number;
  /** Distinguishes evaluations that used the same slot one after the other. */
  readonly evaluation: number;
  readonly lane: number;
}

export type WorkerReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly task: LaneTask }
  | { readonly kind: 'failed'; readonly problem: Problem; readonly exitCode: 1 | 2 };
