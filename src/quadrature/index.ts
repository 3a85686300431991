export { baseNodes, integrate } from './integrate.js';
export { compositeRule, ruleNames, rules, type FixedRuleName, type Rule } from './rules.js';
export type * from './types.js';
