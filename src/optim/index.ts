export { componentNames, type ComponentSplitter, createSplitter } from './components.js';
export type { GroupSettings } from './groups.js';
export {
  applyUpdate,
  createOptimizer,
  createUpdate,
  type Optimizer,
  type OptimizerSettings,
} from './optimizer.js';
export { type RuleName, ruleNames } from './rules.js';
export type { Schedule } from './schedule.js';
export {
  type Convention,
  conventions,
  type OptimizedTensor,
  type OptimizerState,
  type Update,
} from './types.js';
