export type { Backward, GradientRule } from './backward.js';
export type { ConstantData } from './backward.js';
export { differentiate } from './differentiate.js';
export { gradientRules, withoutGradient } from './rules/index.js';
