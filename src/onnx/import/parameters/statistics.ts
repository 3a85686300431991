import type { Node } from '../../protobuf/onnx_pb.js';
import type { Use } from './uses.js';

/**
 * Whether a node is a batch normalisation by the statistics that the file stores, not by those of the chunk. From opset 14 on an attribute
 * says so; before, that no updated ones are asked for.
 */
export function usesStoredStatistics({ opType, attribute, output }: Node, opset: number): boolean {
  if (opType !== 'BatchNormalization') return false;
  if (opset >= 14) return !attribute.some(({ name, i }) => name === 'training_mode' && i === 1n);
  return output.filter((name) => name !== '').length <= 1;
}

/** Whether a use is that of a stored mean or variance, by which something is normalised. */
export function isStoredStatistic({ node, index }: Use, opset: number): boolean {
  return index >= 3 && usesStoredStatistics(node, opset);
}
