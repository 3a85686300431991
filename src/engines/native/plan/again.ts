import type { StoredObject, Tensor } from './objects.js';
import type { GraphSteps, Step } from './step.js';

/** What a run needs that differs from the one before in one feed alone. */
export interface Again {
  /** The steps whose results that feed changes. */
  readonly steps: ReadonlySet<Step>;
  /** What these read and others have written: it must outlive the run. */
  readonly kept: ReadonlySet<Tensor>;
  /** What these write. */
  readonly written: ReadonlySet<StoredObject>;
}

/** Null for a graph that is always run anew. */
export function planAgain({ varied: index, steps }: GraphSteps): Again | null {
  if (index === null) return null;
  const written = new Set<StoredObject>();
  const own = new Set<Step>();
  const isVaried = (object: StoredObject): boolean => written.has(object) || (object.kind === 'feed' && object.index === index); // prettier-ignore
  // Whoever writes what such a step writes, too, belongs to them: so it goes on until nothing is added.
  for (let before = -1; before < own.size;) {
    before = own.size;
    for (const step of steps) {
      if (!step.arguments.some(({ object }) => isVaried(object))) continue;
      own.add(step);
      for (const { object, access } of step.arguments) {
        if (access === 'write' && object.kind !== 'scratch') written.add(object);
      }
    }
  }
  const kept = new Set<Tensor>();
  for (const step of own) {
    for (const { object } of step.arguments)
      if (object.kind === 'tensor' && !written.has(object)) kept.add(object);
  }
  return { steps: own, kept, written };
}
