export type { OnnxModel, ReadOptions } from './read.js';
export { readOnnx } from './read.js';
