import type { PreparedProgram } from '../engines/types.js';
import type { Graph } from '../graph/types.js';
import type { Problem } from '../errors.js';
import type { AtomStrip } from '../ledger/types.js';
import type { Want } from '../quadrature/types.js';
import type { Lane, MaskedExamples } from './chunks.js';
import type { Masks } from './feeds.js';

/** All that a worker needs for the evaluations of one plan; examples and slots are shared memory. */
export interface WorkerSetup {
  readonly engine: string;
  /** K */
  readonly size: number;
  /** Gradient graph of each kind of program, by `programKey`, prepared where the engine does that. */
  readonly graphs: ReadonlyMap<string, Graph | PreparedProgram>;
  readonly lanes: readonly Lane[];
  /** Of each objective. */
  readonly objectives: readonly MaskedExamples[];
  readonly masks: Masks;
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

/** Asks the workers for the evaluation in a slot: all get the same task, and each takes lanes until none is left. */
export interface EvaluationTask {
  readonly slot: number;
  /** Distinguishes evaluations that used the same slot one after the other. */
  readonly evaluation: number;
  /** Motions that slopes are wanted along. */
  readonly directions: number;
  readonly want: Want;
  /** Shared memory [2]: how many lanes were taken, and how many are done. */
  readonly progress: Int32Array;
}

/** Asks a worker to end between two runs of its programs. */
export const end = 'end';

/** Asks a worker to let go of its programs; others may come. */
export const release = 'release';

/** What a worker is told, in order: what evaluations are made with, then evaluations. */
export type WorkerMessage = WorkerSetup | EvaluationTask | typeof release | typeof end;

export type WorkerReply =
  | { readonly kind: 'ready' }
  /** Of whoever did the last lane. */
  | { readonly kind: 'done'; readonly evaluation: number }
  | { readonly kind: 'failed'; readonly problem: Problem; readonly exitCode: 1 | 2 };

/** A task of which no lane is taken yet. */
export function evaluationTask(task: Omit<EvaluationTask, 'progress'>): EvaluationTask {
  return { ...task, progress: new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)) };
}

/** The next lane that nobody took; at least their number where all are taken. */
export function takeLane({ progress }: EvaluationTask): number {
  return Atomics.add(progress, 0, 1);
}

/** Notes that a lane is done; returns how many are. */
export function finishLane({ progress }: EvaluationTask): number {
  return Atomics.add(progress, 1, 1) + 1;
}
