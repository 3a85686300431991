import { atomCount, setSlopes } from '../ledger/atoms.js';
import type { PartsEvaluated } from '../ledger/evaluated.js';
import { addInto } from '../num/sums.js';
import type { Want } from '../quadrature/types.js';
import { firstPiecesOf, type Lane } from './chunks.js';
import type { Slot } from './messages.js';
import type { ObjectivePlan } from './plan.js';

/** One evaluation of one objective, all of whose lanes are done. */
export interface Done {
  /** Of the objective. */
  readonly index: number;
  readonly divisor: number;
  readonly slot: Slot;
  /** Motions that slopes were taken along. */
  readonly directions: number;
  readonly want: Want;
}

/** What each part of a divided objective contributes: its pieces (by cell) added in order. */
export function partsOf(
  plan: ObjectivePlan,
  pieces: ReadonlyMap<number, readonly number[]>,
  done: Done,
): PartsEvaluated {
  const { parts } = plan.objectives[done.index]!.division!;
  const { size, strips = [], keepsPartGradients = false } = plan;
  const atoms = atomCount(strips);
  const result = {
    losses: new Float64Array(parts.length),
    slopes: Array.from({ length: done.directions }, () => new Float64Array(parts.length * atoms)),
    gradients: keepsPartGradients && done.want === 'gradient' ? new Float64Array(parts.length * size) : null,
  };
  for (const [p, { by, cells }] of parts.entries()) {
    const own = {
      slopes: result.slopes.map((all) => all.subarray(p * atoms, (p + 1) * atoms)),
      gradient: result.gradients?.subarray(p * size, (p + 1) * size) ?? null,
    };
    result.losses[p] =
      by === null ? penaltyOf(plan, done.slot, own) : sumPieces(cells.flatMap((cell) => pieces.get(cell) ?? []), done, own); // prettier-ignore
  }
  return result;
}

/** Where one part's numbers go: slopes [directions][atoms], and its gradient [K] where it is kept. */
interface Own {
  readonly slopes: readonly Float64Array[];
  readonly gradient: Float64Array | null;
}

/** Adds up pieces into a part; returns its loss. */
function sumPieces(pieces: readonly number[], { slot, divisor }: Done, { slopes, gradient }: Own): number {
  let loss = 0;
  for (const piece of pieces) {
    loss += slot.losses[piece]!;
    slopes.forEach((own, d) => { addInto(own, slot.slopes[piece]![d]!); }); // prettier-ignore
    if (gradient !== null) addInto(gradient, slot.pieceGradients[piece]!);
  }
  for (const own of gradient === null ? slopes : [...slopes, gradient]) {
    for (let k = 0; k < own.length; k++) own[k]! /= divisor;
  }
  return loss / divisor;
}

/** The L2 term as a part of its own. */
function penaltyOf(
  { penalty, size, strips = [] }: ObjectivePlan,
  slot: Slot,
  { slopes, gradient }: Own,
): number {
  if (!penalty) return 0;
  const own = gradient ?? new Float64Array(size);
  penalty.addGradient(slot.theta, own);
  slopes.forEach((target, d) => { setSlopes(target, slot.directions[d]!, own, strips); }); // prettier-ignore
  return penalty.loss(slot.theta);
}

/** Pieces of each cell of an objective, in order, all lanes' pieces numbered through. */
export function piecesByCell(lanes: readonly Lane[], objective: number): Map<number, number[]> {
  const firstPieces = firstPiecesOf(lanes);
  const byCell = new Map<number, number[]>();
  for (const [l, lane] of lanes.entries()) {
    if (lane.objective !== objective) continue;
    for (const [k, { cell }] of lane.pieces.entries()) {
      if (cell === null) continue;
      const own = byCell.get(cell) ?? [];
      own.push(firstPieces[l]! + k);
      byCell.set(cell, own);
    }
  }
  return byCell;
}
