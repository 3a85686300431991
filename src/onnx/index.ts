export { onnxStartBytes, requireOnnxStart } from './decode.js';
export type { Evidence } from './import/evidence.js';
export type { OnnxPort, OnnxSummary, OnnxTensor, UnsupportedNode } from './inspect.js';
export { inspectOnnx } from './inspect.js';
export type { OnnxModel, ReadOptions } from './read.js';
export { readOnnx } from './read.js';
export type { ExternalData } from './tensor.js';
export { writeOnnx } from './write.js';
