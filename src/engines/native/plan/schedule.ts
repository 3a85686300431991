import type { StoredObject } from './objects.js';
import type { Step } from './step.js';

/** Steps that run together over the groups of a batch: each group through all of them, or all groups step by step. */
export interface Section {
  readonly rate: 'group' | 'batch';
  readonly steps: readonly Step[];
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

function sectionsOf(steps: readonly Step[]): Section[] {
  const sections: { rate: 'group' | 'batch'; steps: Step[] }[] = [];
  for (const step of steps) {
    const rate = step.rate === 'group' ? 'group' : 'batch';
    const last = sections.at(-1);
    if (last?.rate === rate) last.steps.push(step);
    else sections.push({ rate, steps: [step] });
  }
  return sections;
}

/** Divides steps into phases, as early as what they need allows. */
export function schedule(steps: readonly Step[]): Phase[] {
  const placed = place(steps);
  const count = Math.max(0, ...placed.map(({ phase }) => phase)) + 1;
  return Array.from({ length: count }, (_, phase) => {
    const own = placed.filter((entry) => entry.phase === phase).map((entry) => entry.step);
    return {
      sections: sectionsOf(own.filter((step) => step.rate !== 'once')),
      closing: own.filter((step) => step.rate === 'once'),
    };
  });
}
