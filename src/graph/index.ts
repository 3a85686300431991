export { GraphBuilder, valuesOf, type ParameterOptions } from './builder.js';
export { describeGraph } from './describe.js';
export { attachLoss, type LossName, type LossOptions } from './loss.js';
export type { Operator, TensorType } from './operators/define.js';
export { operators } from './operators/index.js';
export { type StatisticsKind, statisticsKinds } from './statistics.js';
export type * from './types.js';
export { parameterCount, sizeOf } from './types.js';
