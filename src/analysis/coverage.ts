import type { LedgerView } from '../ledger/view.js';
import type { ObjectiveAnalysis } from './objective.js';
import { parametersLayout } from './parameters-only.js';

/** Something of the network or its recording that the ledger has no entries for. */
export interface LeftOut {
  readonly name: string;
  /** How many numbers it has. */
  readonly numbers: number;
  /**
   * `held constant`: it looks like a parameter, and stays as the model file has it. `constant`: a buffer, a mask or a table of the network, which nothing trains.
   * `not in the model`: it was recorded, and passed over as the user said.
   */
  readonly why: 'held constant' | 'constant' | 'not in the model';
  /** Σ over steps of its squared motion; 0 of what stays, null where it was not known when the run was made. */
  readonly motion: number | null;
}

/** How much of a quantity the ledger accounts for. */
export interface Share {
  readonly accounted: number;
  readonly all: number;
  /** accounted / all; null where all is 0. */
  readonly share: number | null;
}

/** What share of a run the ledger accounts for, and what it leaves out. */
export interface Coverage {
  /** Of θ, of it and of what is held constant. */
  readonly parameters: Share;
  /**
   * Σ over steps of squared motion: of θ, of it and of recorded tensors that were passed over. Null where that of these is not known: in a recording that
   * was followed, and while segments are missing.
   */
  readonly motion: Share | null;
  /** Of each objective: its allocations, the change of its loss, both in its unit; the share is above 1 where allocations claim more than happened. */
  readonly lossChange: readonly (Share & { readonly objective: string })[];
  readonly leftOut: readonly LeftOut[];
}

const shareOf = (accounted: number, all: number): Share => ({
  accounted,
  all,
  share: all === 0 ? null : accounted / all,
});

/** Σ over steps of the squared motion of what was passed over; null where it is not known, or not of the segments that are measured. */
function passedMotion(leftOut: readonly LeftOut[], isWhole: boolean): number | null {
  const motions = leftOut.map(({ motion }) => motion);
  if (motions.includes(null)) return null;
  const total = motions.reduce<number>((sum, motion) => sum + (motion ?? 0), 0);
  return total > 0 && !isWhole ? null : total;
}

/**
 * What share of parameters, of motion and of the loss's change a ledger accounts for. Reads the norms of motion by layer once. `isWhole`: all segments
 * are measured.
 */
export async function coverageOf(
  view: LedgerView,
  objectives: readonly ObjectiveAnalysis[],
  leftOut: readonly LeftOut[],
  isWhole: boolean,
): Promise<Coverage> {
  const { size } = parametersLayout(view.layout);
  const held = leftOut.filter(({ why }) => why === 'held constant');
  const numbers = held.reduce((total, own) => total + own.numbers, 0);
  let moved = 0;
  for await (const norms of view.rows('motion_norm') ?? []) for (const norm of norms) moved += norm * norm;
  const passed = passedMotion(leftOut, isWhole);
  return {
    parameters: shareOf(size, size + numbers),
    motion: passed === null ? null : shareOf(moved, moved + passed),
    lossChange: objectives.map(({ name, conservation: { chosen, lossChange } }) => ({
      objective: name,
      ...shareOf(chosen.allocations, lossChange),
    })),
    leftOut,
  };
}
