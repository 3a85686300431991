import type { Program } from '../engines/types.js';
import { DataError } from '../errors.js';
import { setSlopes } from '../ledger/atoms.js';
import type { AtomStrip } from '../ledger/types.js';
import { addInto } from '../num/sums.js';
import { type Chunk, type Lane, type MaskedExamples, programKey } from './chunks.js';
import { feedsOf, type Masks } from './feeds.js';
import type { EvaluationTask, Slot } from './messages.js';

/** What lanes of an evaluation are computed with. */
export interface LaneWork {
  /** By `programKey`, with θ loaded. */
  readonly programs: ReadonlyMap<string, Program>;
  readonly objectives: readonly MaskedExamples[];
  readonly masks: Masks;
  readonly strips: readonly AtomStrip[];
  /** Array [K] of the worker's own, for the gradient of one piece. */
  readonly scratch: Float64Array;
  /** Two more of them, where lanes share forward passes. */
  readonly shared: readonly Float64Array[];
}

/**
 * Adds up one lane's chunks in order (one that shares forward passes: `evaluateShared`): writes into the slot the loss sum of each piece, the lane's gradient sum [K] where it is a part of the
 * whole, and of pieces that are cells their slopes along the directions, with their gradients [K] where these are kept. Where only
 * losses are wanted, nothing but them.
 */
export async function evaluateLane(
  work: LaneWork,
  { lane, index, firstPiece }: { lane: Lane; index: number; firstPiece: number },
  slot: Slot,
  { directions, want }: Pick<EvaluationTask, 'directions' | 'want'>,
): Promise<void> {
  if (want === 'loss') {
    for (const [k, { chunks }] of lane.pieces.entries()) {
      slot.losses[firstPiece + k] = await sumChunks(work, lane.objective, chunks);
    }
    return;
  }
  const whole = slot.gradients[index];
  whole?.fill(0);
  for (const [k, { cell, chunks }] of lane.pieces.entries()) {
    const at = firstPiece + k;
    const target = cell === null ? whole! : (slot.pieceGradients[at] ?? work.scratch);
    if (cell !== null) target.fill(0);
    slot.losses[at] = await sumChunks(work, lane.objective, chunks, target);
    if (cell === null) continue;
    if (whole) addInto(whole, target);
    for (let d = 0; d < directions; d++) {
      setSlopes(slot.slopes[at]![d]!, slot.directions[d]!, target, work.strips);
    }
  }
}

async function sumChunks(
  { programs, objectives, masks }: LaneWork,
  objective: number,
  chunks: readonly Chunk[],
  gradient?: Float64Array,
): Promise<number> {
  let loss = 0;
  for (const chunk of chunks) {
    const feeds = feedsOf(objectives[objective]!, chunk, masks);
    loss += await programFor(programs, chunk).run(feeds, gradient);
  }
  return loss;
}

/** The program of a chunk's kind. Throws DataError where there is none. */
export function programFor(programs: ReadonlyMap<string, Program>, chunk: Chunk): Program {
  const program = programs.get(programKey(chunk));
  if (program) return program;
  throw new DataError({
    given: `a chunk of ${programKey(chunk)} examples`,
    expected: `chunks of ${[...programs.keys()].join(' or ')} examples`,
    remedy: 'compile a program for this size',
  });
}
