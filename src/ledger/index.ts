export { allocateRow, type RowInput } from './allocate.js';
export { audit, type Deviation } from './audit.js';
export { layoutOf, type LaidTensor } from './layout.js';
export type * from './types.js';
