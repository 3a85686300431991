import { gradientOperatorOf } from '../../graph/activations/define.js';
import { activations as table } from '../../graph/activations/table.js';
import type { Rules } from '../backward.js';

/** Each activation has a whole gradient operator of dy and of x or y, with the same attributes. */
export const activations: Rules = Object.fromEntries(
  [...table].map(([name, { gradientOf }]) => [
    name,
    (step) => {
      const at = gradientOf === 'x' ? step.input(0) : step.output(0);
      return [step.apply(gradientOperatorOf(name), [step.dy, at], step.node.attributes)];
    },
  ]),
);
