import type { GradientRule, GradientRules } from '../backward.js';
import { elementwise } from './elementwise.js';
import { matrix } from './matrix.js';
import { normalizations } from './normalization.js';
import { reductions } from './reduction.js';
import { shapes } from './shape.js';
import { windows } from './windows.js';

const losses: GradientRules = {
  SoftmaxCrossEntropyLoss: (step) => [
    step.apply('SoftmaxCrossEntropyLossGrad', [step.dy, ...step.node.inputs], step.node.attributes),
  ],
};

/** One gradient rule for every operator that has a gradient. */
export const gradientRules: ReadonlyMap<string, GradientRule> = new Map(
  Object.entries({
    ...elementwise,
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
  ['Floor', 'constant except at whole numbers'],
  ['Ceil', 'constant except at whole numbers'],
  ['Round', 'constant except half-way between whole numbers'],
  ['Equal', 'its result is bool'],
  ['Greater', 'its result is bool'],
  ['Less', 'its result is bool'],
  ['Not', 'its result is bool'],
  ['And', 'its result is bool'],
  ['Or', 'its result is bool'],
]);
