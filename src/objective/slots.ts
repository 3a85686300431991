import { atomCount } from '../ledger/atoms.js';
import type { Lane } from './chunks.js';
import type { ObjectivePlan } from './plan.js';
import type { Slot } from './messages.js';

/** Evaluations that may be in flight at once: enough to keep workers busy across the end of one evaluation. */
export const slotCount = 3;

/** Motions that slopes are taken along at most: one evaluation ends a segment and begins the next. */
const directionCount = 2;

/** Shared memory for one evaluation of a plan in these lanes. */
export function makeSlot(plan: ObjectivePlan, lanes: readonly Lane[]): Slot {
  const shared = (length: number) => new Float64Array(new SharedArrayBuffer(length * 8));
  const { size } = plan;
  const pieces = lanes.flatMap((lane) => lane.pieces);
  const isDivided = pieces.some(({ cell }) => cell !== null);
  const atoms = atomCount(plan.strips ?? []);
  const motions = Array.from({ length: directionCount });
  return {
    theta: shared(size),
    directions: isDivided ? motions.map(() => shared(size)) : [],
    losses: shared(pieces.length),
    gradients: lanes.map(({ whole }) => (whole ? shared(size) : null)),
    slopes: pieces.map(({ cell }) => (cell === null ? null : motions.map(() => shared(atoms)))),
    pieceGradients: pieces.map(({ cell }) =>
      cell !== null && plan.keepsPartGradients ? shared(size) : null,
    ),
  };
}

/** Bytes that an evaluator of a plan shares with its workers, for all evaluations in flight. */
export function sharedBytes(plan: ObjectivePlan, lanes: readonly Lane[]): number {
  const pieces = lanes.flatMap((lane) => lane.pieces);
  const divided = pieces.filter(({ cell }) => cell !== null).length;
  const vectors = 1 + lanes.filter(({ whole }) => whole).length + (divided > 0 ? directionCount : 0) + (plan.keepsPartGradients ? divided : 0); // prettier-ignore
  const numbers =
    vectors * plan.size + pieces.length + directionCount * divided * atomCount(plan.strips ?? []);
  return slotCount * 8 * numbers;
}
