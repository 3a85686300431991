export { onnxStartBytes, requireOnnxStart } from './protobuf/decode.js';
export type { Evidence } from './import/parameters/evidence.js';
export type { OnnxPort, OnnxSummary, OnnxTensor, UnsupportedNode } from './inspect.js';
export { inspectOnnx } from './inspect.js';
export type { OnnxModel, ReadOptions } from './model.js';
export { readOnnx } from './read.js';
export type { ExternalData } from './protobuf/tensor.js';
export { writeOnnx } from './write.js';
