import type { Rule } from '../backward.js';
import { activations } from './activations.js';
import { elementwise } from './elementwise.js';
import { losses } from './loss.js';
import { matrix } from './matrix.js';
import { normalizations } from './normalization.js';
import { reductions } from './reduction.js';
import { shapes } from './shape.js';
import { windows } from './windows.js';

/** One gradient rule for every operator that has a gradient. */
export const rules: ReadonlyMap<string, Rule> = new Map(
  Object.entries({
    ...elementwise,
    ...activations,
    ...matrix,
    ...reductions,
    ...shapes,
    ...windows,
    ...normalizations,
    ...losses,
  }),
);

/** Operators through which no gradient flows, and why. */
export const withoutGradient: ReadonlyMap<string, string> = new Map([
  ['Sign', 'constant except at 0, so its derivative is 0 wherever it exists'],
  ['Equal', 'its result is bool'],
  ['Greater', 'its result is bool'],
  ['Less', 'its result is bool'],
  ['Not', 'its result is bool'],
  ['And', 'its result is bool'],
  ['Or', 'its result is bool'],
]);
