import type { StoredObject } from './objects.js';
import type { GraphSteps, Step } from './step.js';

/** The steps without which the loss is not known: all of them but what only gradients need. */
export function lossSteps({ steps, loss }: GraphSteps): ReadonlySet<Step> {
  const needed = new Set<StoredObject>([loss.sums]);
  const own = new Set<Step>();
  // Several steps may write one object, in any order: so it goes on until nothing is added.
  for (let before = -1; before < own.size;) {
    before = own.size;
    for (const step of steps.toReversed()) {
      if (!step.arguments.some(({ object, access }) => access === 'write' && needed.has(object))) continue;
      own.add(step);
      for (const { object } of step.arguments) if (object.kind !== 'scratch') needed.add(object);
    }
  }
  return own;
}
