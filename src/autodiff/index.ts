export { differentiate } from './differentiate.js';
export { rules, withoutGradient } from './rules/index.js';
