import { atomCount } from '../ledger/atoms.js';
import type { Lane } from './chunks.js';
import type { ObjectivePlan } from './plan.js';
import type { Slot } from './messages.js';

/** Evaluations in flight at least: enough to keep workers busy across the end of one evaluation. */
export const fewestSlots = 3;
/** And at most, since each takes the memory of its lanes' sums. */
const mostSlots = 16;

/** Evaluations of so many lanes that may be in flight at once: each of the workers finds a lane, also where one evaluation has its last ones under way. */
export function slotsFor(workers: number, lanes: number): number {
  return Math.min(mostSlots, Math.max(fewestSlots, Math.ceil(workers / lanes) + 1));
}

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

/** Bytes that an evaluator of a plan shares with its workers, for so many evaluations in flight. */
export function sharedBytes(plan: ObjectivePlan, lanes: readonly Lane[], slots: number): number {
  const pieces = lanes.flatMap((lane) => lane.pieces);
  const divided = pieces.filter(({ cell }) => cell !== null).length;
  const vectors = 1 + lanes.filter(({ whole }) => whole).length + (divided > 0 ? directionCount : 0) + (plan.keepsPartGradients ? divided : 0); // prettier-ignore
  const numbers =
    vectors * plan.size + pieces.length + directionCount * divided * atomCount(plan.strips ?? []);
  return slots * 8 * numbers;
}
