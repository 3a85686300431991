import { create } from '@bufbuild/protobuf';
import { dataTypeCode, dataTypeName, tensorBytes } from '../../protobuf/dtypes.js';
import { Attribute_Type, NodeSchema, TensorSchema, type Node, type Tensor } from '../../protobuf/onnx_pb.js';
import { readTensor, type ExternalData } from '../../protobuf/tensor.js';
import type { OnnxFile } from '../file.js';
import { isAnonymous } from './roles.js';

/** Where each number of named tensors stands: tensor and place; null for numbers that stand in several places. */
type Places = ReadonlyMap<number, readonly [tensor: string, index: number] | null>;

/** Fewer different numbers than this may agree by chance, or be constants of the network. */
const fewestDistinct = 3;
/** Named tensors of more numbers in all are not searched. */
const mostNumbers = 2 ** 25;

function isFloatTensor({ dataType }: Tensor): boolean {
  return dataTypeName(dataType) === 'float32';
}

function placesOf(named: readonly Tensor[], external: ExternalData | undefined): Places {
  const places = new Map<number, readonly [string, number] | null>();
  for (const tensor of named) {
    readTensor(tensor, external).data.forEach((number, index) => {
      places.set(number, places.has(number) ? null : [tensor.name, index]);
    });
  }
  return places;
}

/** For each number of a tensor, which named tensor and place it was copied from; null where not all of them were. */
function originsOf(data: ArrayLike<number>, places: Places): (readonly [string, number])[] | null {
  const origins: (readonly [string, number])[] = [];
  const distinct = new Set<number>();
  for (let k = 0; k < data.length; k++) {
    const place = places.get(data[k]!);
    if (place === undefined || place === null) return null;
    origins.push(place);
    distinct.add(data[k]!);
  }
  return distinct.size >= fewestDistinct ? origins : null;
}

function vector(name: string, numbers: readonly number[]): Tensor {
  const rawData = tensorBytes('int64', numbers);
  return create(TensorSchema, {
    name,
    dims: [BigInt(numbers.length)],
    dataType: dataTypeCode('int64'),
    rawData,
  });
}

/** Nodes that make a copy anew from the tensors that its numbers came from, and the index vectors that they read. */
function remade(
  { name, dims }: Tensor,
  origins: readonly (readonly [string, number])[],
  sizes: ReadonlyMap<string, number>,
): { nodes: Node[]; vectors: Tensor[] } {
  const sources = [...new Set(origins.map(([source]) => source))];
  const starts = new Map(
    sources.map((source, k) => [
      source,
      sources.slice(0, k).reduce((sum, each) => sum + sizes.get(each)!, 0),
    ]),
  );
  const part = (suffix: string): string => `${name}/${suffix}`;
  const indices = vector(
    part('places'),
    origins.map(([source, index]) => starts.get(source)! + index),
  );
  const flat = vector(part('flat'), [-1]);
  const shape = vector(part('shape'), dims.map(Number));
  const axis = { name: 'axis', type: Attribute_Type.INT, i: 0n };
  const flattened = sources.map((source, k) =>
    create(NodeSchema, { opType: 'Reshape', input: [source, flat.name], output: [part(`source${k}`)] }),
  );
  const joined = create(NodeSchema, {
    opType: 'Concat',
    input: flattened.map(({ output }) => output[0]!),
    output: [part('sources')],
    attribute: [axis],
  });
  const [all, concat] = sources.length === 1 ? [flattened[0]!.output[0]!, []] : [part('sources'), [joined]];
  const gather = create(NodeSchema, {
    opType: 'Gather',
    input: [all, indices.name],
    output: [part('numbers')],
    attribute: [axis],
  });
  const reshape = create(NodeSchema, {
    opType: 'Reshape',
    input: [part('numbers'), shape.name],
    output: [name],
  });
  return { nodes: [...flattened, ...concat, gather, reshape], vectors: [indices, flat, shape] };
}

/**
 * Constant folding stores transposed, sliced or joined copies of weights without names, also of weights that the network reads
 * elsewhere under their own. Copies whose every number stands in exactly one place of the named tensors are made from these again, so
 * that they move with them.
 */
export function withTracedCopies(file: OnnxFile, external?: ExternalData): OnnxFile {
  const floats = [...file.initializers.values()].filter(isFloatTensor);
  const [copies, named] = [
    floats.filter(({ name }) => isAnonymous(name)),
    floats.filter(({ name }) => !isAnonymous(name)),
  ];
  const sizes = new Map(
    named.map(({ name, dims }) => [name, dims.reduce((size, extent) => size * Number(extent), 1)]),
  );
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  if (copies.length === 0 || total > mostNumbers) return file;
  const places = placesOf(named, external);
  const initializers = new Map(file.initializers);
  const nodes: Node[] = [];
  for (const copy of copies) {
    const origins = originsOf(readTensor(copy, external).data, places);
    if (origins === null) continue;
    const made = remade(copy, origins, sizes);
    nodes.push(...made.nodes);
    initializers.delete(copy.name);
    for (const each of made.vectors) initializers.set(each.name, each);
  }
  return nodes.length === 0 ? file : { ...file, initializers, nodes: [...nodes, ...file.nodes] };
}
