export { baseNodes, integrate, type IntegrationOptions } from './integrate.js';
export { compositeRule, ruleNames, rules, type FixedRuleName, type Rule } from './rules.js';
export type * from './types.js';
