import { setSlopes } from '../ledger/atoms.js';
import { addInto } from '../num/sums.js';
import type { Chunk, Lane, Piece } from './chunks.js';
import { feedsOf } from './feeds.js';
import { type LaneWork, programFor } from './lane.js';
import type { EvaluationTask, Slot } from './messages.js';

/** A cell of a chunk, and the place of its piece among all. */
interface Own {
  readonly at: number;
  readonly chunk: Chunk;
}

/**
 * Adds up a lane whose cells share forward passes, chunk by chunk: the whole is run, then the backward pass of every cell but one, which is what
 * the others leave. Writes what `evaluateLane` writes, all slopes and gradients [K] being sums over chunks.
 */
export async function evaluateShared(
  work: LaneWork,
  { lane, index, firstPiece }: { lane: Lane; index: number; firstPiece: number },
  slot: Slot,
  { directions, want }: Pick<EvaluationTask, 'directions' | 'want'>,
): Promise<void> {
  const [whole, ...cells] = lane.pieces;
  const hasGradient = want === 'gradient';
  const sums = new LaneSums(work, slot, { directions, hasGradient });
  for (let at = firstPiece; at < firstPiece + lane.pieces.length; at++) sums.clear(at);
  if (hasGradient) slot.gradients[index]!.fill(0);
  const [first, own] = [work.scratch, work.shared[0]!];
  const rest = work.shared[1]!;
  const masked = work.objectives[lane.objective]!;
  for (const chunk of whole!.chunks) {
    const program = programFor(work.programs, chunk);
    first.fill(0);
    const loss = await program.run(feedsOf(masked, chunk, work.masks), hasGradient ? first : undefined);
    slot.losses[firstPiece]! += loss;
    if (hasGradient) addInto(slot.gradients[index]!, first);
    for (const layer of layersOf(cells, chunk, firstPiece + 1)) {
      let left = loss;
      rest.set(first);
      for (const { at, chunk: cell } of layer.filter((each) => !each.chunk.rest)) {
        own.fill(0);
        const feeds = feedsOf(masked, cell, work.masks);
        const part = await (program.rerun ?? program.run).call(program, feeds, hasGradient ? own : undefined);
        sums.add(at, part, own);
        left -= part;
        for (let k = 0; k < rest.length; k++) rest[k]! -= own[k]!;
      }
      for (const { at } of layer.filter((each) => each.chunk.rest)) sums.add(at, left, rest);
    }
  }
}

/** The cells of one chunk, by layer. */
function layersOf(cells: readonly Piece[], { start }: Chunk, firstCell: number): Own[][] {
  const layers = new Map<number, Own[]>();
  for (const [k, { chunks }] of cells.entries()) {
    const chunk = chunks.find((each) => each.start === start);
    if (chunk === undefined) continue;
    const layer = layers.get(chunk.layer ?? 0) ?? [];
    layer.push({ at: firstCell + k, chunk });
    layers.set(chunk.layer ?? 0, layer);
  }
  return [...layers.values()];
}

/** Sums of pieces over chunks, in a slot. */
class LaneSums {
  readonly #slopes: Float64Array;

  constructor(
    readonly work: LaneWork,
    readonly slot: Slot,
    readonly wanted: { readonly directions: number; readonly hasGradient: boolean },
  ) {
    const atoms = slot.slopes.find((own) => own !== null)?.[0]?.length ?? 0;
    this.#slopes = new Float64Array(atoms);
  }

  clear(at: number): void {
    this.slot.losses[at] = 0;
    if (!this.wanted.hasGradient) return;
    for (const slopes of this.slot.slopes[at] ?? []) slopes.fill(0);
    this.slot.pieceGradients[at]?.fill(0);
  }

  add(at: number, loss: number, gradient: Float64Array): void {
    const { slot, wanted } = this;
    slot.losses[at]! += loss;
    if (!wanted.hasGradient) return;
    const kept = slot.pieceGradients[at];
    if (kept) addInto(kept, gradient);
    for (let d = 0; d < wanted.directions; d++) {
      setSlopes(this.#slopes, slot.directions[d]!, gradient, this.work.strips);
      addInto(slot.slopes[at]![d]!, this.#slopes);
    }
  }
}
