import { create } from '@bufbuild/protobuf';
import { dataTypeCode, tensorBytes } from '../../protobuf/dtypes.js';
import type { Node, Tensor } from '../../protobuf/onnx_pb.js';
import { Attribute_Type, NodeSchema, TensorSchema } from '../../protobuf/onnx_pb.js';
import { readTensor, type ExternalData } from '../../protobuf/tensor.js';
import { declared } from './declaration.js';
import type { OnnxFile } from '../file.js';
import { isAnonymous, scopeOf } from './roles.js';
import { readersOf, type Readers } from './uses.js';

/** A weight under its own name and in its own shape, and the node that makes of it what was stored. */
interface Restored {
  /** Name that the exporter made up. */
  readonly stored: string;
  readonly tensor: Tensor;
  readonly node: Node;
}

/** What the layer calls a tensor that one of its nodes reads; null where that cannot be told. */
function ownName(file: OnnxFile, reader: Node): string | null {
  const scope = scopeOf(reader);
  if (scope === null) return null;
  const has = (name: string): boolean => file.initializers.has(`${scope}.${name}`);
  if (reader.opType === 'MatMul') return `${scope}.${has('in_proj_bias') ? 'in_proj_weight' : 'weight'}`;
  return `${scope}.${reader.opType === 'Mul' ? 'weight' : 'bias'}`;
}

function tensorOf(name: string, dims: readonly number[], data: Float32Array): Tensor {
  const rawData = tensorBytes('float32', data);
  return create(TensorSchema, { name, dims: dims.map(BigInt), dataType: dataTypeCode('float32'), rawData });
}

function transposedData(data: ArrayLike<number>, rows: number, columns: number): Float32Array {
  return Float32Array.from(data, (_, k) => data[(k % rows) * columns + Math.floor(k / rows)]!);
}

/** The tensor of another name that holds these numbers: the one that a kernel is tied to. */
function twinOf({ initializers }: OnnxFile, { name, dims, rawData }: Tensor): Tensor | undefined {
  return [...initializers.values()].find(
    (other) =>
      other.name !== name &&
      other.dims.join() === dims.join() &&
      other.rawData.length === rawData.length &&
      other.rawData.every((byte, k) => byte === rawData[k]),
  );
}

/** The kernel [out, in] of a linear layer, stored as [in, out]. */
function linearKernel(
  file: OnnxFile,
  name: string,
  stored: Tensor,
  external: ExternalData | undefined,
): Restored {
  const { shape, data } = readTensor(stored, external);
  const [rows, columns] = shape as readonly [number, number];
  const own = tensorOf(name, [columns, rows], transposedData(data, rows, columns));
  const tensor = twinOf(file, own) ?? own;
  const perm = { name: 'perm', type: Attribute_Type.INTS, ints: [1n, 0n] };
  const node = create(NodeSchema, {
    opType: 'Transpose',
    input: [tensor.name],
    output: [stored.name],
    attribute: [perm],
  });
  return { stored: stored.name, tensor, node };
}

/** The scale or bias [C] of a group normalisation, stored as [C, 1, …]. */
function channelScale(name: string, stored: Tensor, external: ExternalData | undefined): Restored {
  const { shape, data } = readTensor(stored, external);
  const tensor = tensorOf(name, [shape[0]!], Float32Array.from(data));
  const axes = { name: 'axes', type: Attribute_Type.INTS, ints: shape.slice(1).map((_, k) => BigInt(k + 1)) };
  const node = create(NodeSchema, {
    opType: 'Unsqueeze',
    input: [name],
    output: [stored.name],
    attribute: [axes],
  });
  return { stored: stored.name, tensor, node };
}

function restored(
  file: OnnxFile,
  readers: Readers,
  stored: Tensor,
  external: ExternalData | undefined,
): Restored | null {
  const [use, ...others] = readers.get(stored.name) ?? [];
  if (!isAnonymous(stored.name) || use === undefined || others.length > 0) return null;
  const name = ownName(file, use[0]);
  if (name === null || file.initializers.has(name)) return null;
  const isKernel = use[0].opType === 'MatMul' && use[1] === 1 && stored.dims.length === 2;
  if (isKernel) return linearKernel(file, name, stored, external);
  const isScale = ['Mul', 'Add'].includes(use[0].opType) && stored.dims.length > 1 && stored.dims[0]! > 1n;
  return isScale && stored.dims.slice(1).every((extent) => extent === 1n)
    ? channelScale(name, stored, external)
    : null;
}

/**
 * PyTorch's constant folding stores the kernels of linear layers transposed, and scales of group normalisation with more axes, at the
 * end of the file and without names. Here they get back the names that their layers had, their shapes and their places among the
 * parameters, so that a trajectory recorded beside such an export fits.
 */
export function withUnfoldedWeights(file: OnnxFile, external?: ExternalData): OnnxFile {
  if (!file.producer.startsWith('pytorch')) return file;
  const readers = readersOf(file.nodes);
  const all = [...file.initializers.values()].flatMap(
    (tensor) => restored(file, readers, tensor, external) ?? [],
  );
  const names = all.map(({ tensor }) => tensor.name);
  const distinct = all.filter(({ tensor }) => names.indexOf(tensor.name) === names.lastIndexOf(tensor.name));
  if (distinct.length === 0) return file;
  const nameOf = new Map(distinct.map(({ stored, tensor }) => [stored, tensor.name]));
  const kept = [...file.initializers.values()].filter(({ name }) => !nameOf.has(name));
  const added = distinct.map(({ tensor }) => tensor).filter(({ name }) => !file.initializers.has(name));
  const direct = file.nodes.map((node) => ({
    ...node,
    input: node.input.map((name) => nameOf.get(name) ?? name),
  }));
  const tensors = declared(kept, added, direct);
  const nodes = [...distinct.map(({ node }) => node), ...file.nodes];
  return { ...file, nodes, initializers: new Map(tensors.map((tensor) => [tensor.name, tensor])) };
}
