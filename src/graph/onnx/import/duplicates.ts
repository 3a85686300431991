import type { Node, Tensor } from '../onnx_pb.js';
import { readTensor, type ExternalData } from '../tensor.js';
import type { OnnxFile } from './file.js';

/** When a tensor is first read: number of the node, then of its input. */
type Moment = readonly [node: number, input: number];

function firstReads(nodes: readonly Node[]): Map<string, Moment> {
  const reads = new Map<string, Moment>();
  nodes.forEach((node, n) => {
    node.input.forEach((name, k) => {
      if (!reads.has(name)) reads.set(name, [n, k]);
    });
  });
  return reads;
}

function isBefore(a: Moment, b: Moment): boolean {
  return a[0] === b[0] ? a[1] < b[1] : a[0] < b[0];
}

/** A tensor of one number throughout: what a bias or scale is before training. */
function isUniform(tensor: Tensor, external: ExternalData | undefined): boolean {
  const { data } = readTensor(tensor, external);
  return data.length > 0 && data.every((number) => number === data[0]);
}

/** Whether two names differ in numbers only, as those of a layer and its copy do. */
function isSameLayerElsewhere(a: string, b: string): boolean {
  return a.replaceAll(/\d+/g, '#') === b.replaceAll(/\d+/g, '#');
}

/** Inserts `tensor` behind the one that is read last before it, which is where it was declared in most networks. */
function insert(tensors: Tensor[], tensor: Tensor, reads: ReadonlyMap<string, Moment>): void {
  const moment = reads.get(tensor.name);
  let after = tensors.length - 1;
  let latest: Moment | undefined;
  for (const [k, { name }] of tensors.entries()) {
    const other = reads.get(name);
    if (!other || !moment || !isBefore(other, moment) || (latest && isBefore(other, latest))) continue;
    [latest, after] = [other, k];
  }
  tensors.splice(after + 1, 0, tensor);
}

/**
 * PyTorch stores equal tensors once, and passes them to the other places by an Identity named like the parameter that it
 * replaces. Equal tensors of one number throughout (biases of zeros, scales of ones) and those of numbered copies of a layer
 * are parameters of their own that have not been trained yet; other equal tensors are tied on purpose and stay one.
 */
export function withOwnDuplicates(file: OnnxFile, external?: ExternalData): OnnxFile {
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
  const reads = firstReads(nodes);
  const tensors = [...file.initializers.values()];
  const copies = duplicates.map((node) => ({
    ...file.initializers.get(node.input[0]!)!,
    name: node.output[0]!,
  }));
  const order = (tensor: Tensor): Moment => reads.get(tensor.name) ?? [Infinity, 0];
  copies.sort((a, b) => (isBefore(order(a), order(b)) ? -1 : 1));
  for (const copy of copies) insert(tensors, copy, reads);
  return { ...file, nodes, initializers: new Map(tensors.map((tensor) => [tensor.name, tensor])) };
}
