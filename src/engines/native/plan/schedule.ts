import type { StoredObject } from './objects.js';
import type { Step } from './step.js';
import type { Run } from './strips.js';
import { runsOf } from './strips.js';

/** Runs that go together over the groups of a batch: each group through all of them, or all groups run by run. */
export interface Section {
  readonly rate: 'group' | 'batch';
  readonly runs: readonly Run[];
}

/**
 * What can be done in one pass over the chunk: every group of examples goes through all sections, then sums are complete
 * and the closing steps use them. A step that needs a complete sum belongs to a later phase.
 */
export interface Phase {
  readonly sections: readonly Section[];
  readonly closing: readonly Step[];
}

interface Placed {
  readonly step: Step;
  readonly phase: number;
}

function place(steps: readonly Step[]): Placed[] {
  /** Phase in which an object is made; sums and tables are complete at its end, tensors group by group. */
  const made = new Map<StoredObject, number>();
  return steps.map((step) => {
    const isClosing = step.rate === 'once';
    const waits = step.arguments
      .filter(({ access }) => access === 'read')
      .map(({ object }) => {
        const phase = made.get(object);
        if (phase === undefined) return 0;
        return isClosing || object.kind === 'tensor' ? phase : phase + 1;
      });
    const phase = Math.max(0, ...waits);
    for (const { object, access } of step.arguments) {
      if (access === 'write') made.set(object, Math.max(phase, made.get(object) ?? 0));
    }
    return { step, phase };
  });
}

function sectionsOf(runs: readonly Run[]): Section[] {
  const sections: { rate: 'group' | 'batch'; runs: Run[] }[] = [];
  for (const run of runs) {
    const rate = run.steps.every((step) => step.rate === 'group') ? 'group' : 'batch';
    const last = sections.at(-1);
    if (last?.rate === rate) last.runs.push(run);
    else sections.push({ rate, runs: [run] });
  }
  return sections;
}

/** Divides steps into phases, as early as what they need allows, for vectors of so many bytes. */
export function schedule(steps: readonly Step[], vectorBytes: number): Phase[] {
  const placed = place(steps);
  const count = Math.max(0, ...placed.map(({ phase }) => phase)) + 1;
  return Array.from({ length: count }, (_, phase) => {
    const own = placed.filter((entry) => entry.phase === phase).map((entry) => entry.step);
    return {
      sections: sectionsOf(
        runsOf(
          own.filter((step) => step.rate !== 'once'),
          vectorBytes,
        ),
      ),
      closing: own.filter((step) => step.rate === 'once'),
    };
  });
}
