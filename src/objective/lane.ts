import type { Feeds, Program } from '../engines/types.js';
import { DataError } from '../errors.js';
import { type Examples, feedNameOf } from '../data/types.js';
import { setSlopes } from '../ledger/atoms.js';
import type { AtomStrip } from '../ledger/types.js';
import { addInto } from '../num/sums.js';
import { type Chunk, isMasked, type Lane, type MaskedExamples, programKey, sizeOfChunk } from './chunks.js';
import type { LaneTask, Slot } from './messages.js';

/** What lanes of an evaluation are computed with. */
export interface LaneWork {
  /** By `programKey`, with θ loaded. */
  readonly programs: ReadonlyMap<string, Program>;
  readonly objectives: readonly MaskedExamples[];
  /** Whether labels are classes: of examples that do not count they are fed as class 0, and `included` is by label. */
  readonly masksLabels: boolean;
  readonly strips: readonly AtomStrip[];
  /** Array [K] of the worker's own, for the gradient of one piece. */
  readonly scratch: Float64Array;
}

/** The arrays of the examples from `start` to before `end` by the names under which graphs read them: views. */
export function sliceFeeds(examples: Examples, start: number, end: number) {
  const { inputs, labels, further = [], count } = examples;
  const rows = <A extends Examples['inputs']>(array: A): A => {
    const width = array.length / Math.max(1, count);
    return array.subarray(start * width, end * width) as A;
  };
  const others = further.map(({ name, values }) => [feedNameOf(name), rows(values)] as const);
  return { x: rows(inputs), labels: rows(labels), ...Object.fromEntries(others) };
}

/** The feeds of one chunk: views on the examples, and what is masked where not all count. */
function feedsOf({ examples, cells }: MaskedExamples, chunk: Chunk, masksLabels: boolean): Feeds {
  const labelWidth = examples.labels.length / examples.count;
  const [start, end] = [chunk.start, chunk.start + sizeOfChunk(chunk)];
  const { labels, ...inputs } = sliceFeeds(examples, start, end);
  if (!isMasked(chunk)) return { ...inputs, labels };
  const counts = (example: number): boolean =>
    example < chunk.end && (chunk.cell === undefined || cells!.cellOf[example] === chunk.cell);
  const masked = masksLabels ? labels.slice() : labels;
  const rows = masksLabels ? labelWidth : 1;
  const included = new Float32Array((end - start) * rows);
  for (let k = 0; k < end - start; k++) {
    const [from, to] = [k * rows, (k + 1) * rows];
    if (counts(start + k)) included.fill(1, from, to);
    else if (masksLabels) masked.fill(0, from, to);
  }
  return { ...inputs, labels: masked, included };
}

/**
 * Adds up one lane's chunks in order: writes into the slot the loss sum of each piece, the lane's gradient sum [K] where it is a part of the
 * whole, and of pieces that are cells their slopes along the directions, with their gradients [K] where these are kept. Where only
 * losses are wanted, nothing but them.
 */
export async function evaluateLane(
  work: LaneWork,
  { lane, index, firstPiece }: { lane: Lane; index: number; firstPiece: number },
  slot: Slot,
  { directions, want }: Pick<LaneTask, 'directions' | 'want'>,
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
  { programs, objectives, masksLabels }: LaneWork,
  objective: number,
  chunks: readonly Chunk[],
  gradient?: Float64Array,
): Promise<number> {
  let loss = 0;
  for (const chunk of chunks) {
    const feeds = feedsOf(objectives[objective]!, chunk, masksLabels);
    loss += await programFor(programs, chunk).run(feeds, gradient);
  }
  return loss;
}

function programFor(programs: ReadonlyMap<string, Program>, chunk: Chunk): Program {
  const program = programs.get(programKey(chunk));
  if (program) return program;
  throw new DataError({
    given: `a chunk of ${programKey(chunk)} examples`,
    expected: `chunks of ${[...programs.keys()].join(' or ')} examples`,
    remedy: 'compile a program for this size',
  });
}
