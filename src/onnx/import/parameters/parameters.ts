import type { Node, Tensor } from '../../protobuf/onnx_pb.js';
import { readTensor, type ExternalData } from '../../protobuf/tensor.js';
import type { OnnxFile } from '../file.js';
import { declared, isSameLayerElsewhere } from './declaration.js';
import { withTracedCopies } from './copies.js';
import { withUnfoldedWeights } from './folded-weights.js';

/** A tensor of one number throughout: what a bias or scale is before training. */
function isUniform(tensor: Tensor, external: ExternalData | undefined): boolean {
  const { data } = readTensor(tensor, external);
  return data.length > 0 && data.every((number) => number === data[0]);
}

/**
 * PyTorch stores equal tensors once, and passes them to the other places by an Identity named like the parameter that it
 * replaces. Equal tensors of one number throughout (biases of zeros, scales of ones) and those of numbered copies of a layer
 * are parameters of their own that have not been trained yet; other equal tensors are tied on purpose and stay one.
 */
function withOwnDuplicates(file: OnnxFile, external?: ExternalData): OnnxFile {
  const isDuplicate = (node: Node): boolean => {
    const source = node.opType === 'Identity' ? file.initializers.get(node.input[0] ?? '') : undefined;
    const name = node.output[0] ?? '';
    if (source === undefined || file.outputs.some((output) => output.name === name)) return false;
    return isSameLayerElsewhere(source.name, name) || isUniform(source, external);
  };
  const duplicates = file.nodes.filter(isDuplicate);
  if (duplicates.length === 0) return file;
  const replaced = new Set(duplicates);
  const nodes = file.nodes.filter((node) => !replaced.has(node));
  const copies = duplicates.map((node) => ({
    ...file.initializers.get(node.input[0]!)!,
    name: node.output[0]!,
  }));
  const tensors = declared([...file.initializers.values()], copies, nodes);
  return { ...file, nodes, initializers: new Map(tensors.map((tensor) => [tensor.name, tensor])) };
}

/** The file with the parameters that its author declared, each by itself, in their shapes and order, as far as they can be told. */
export function withDeclaredParameters(file: OnnxFile, external?: ExternalData): OnnxFile {
  return withTracedCopies(withUnfoldedWeights(withOwnDuplicates(file, external), external), external);
}
