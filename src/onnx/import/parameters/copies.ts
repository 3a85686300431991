import { create } from '@bufbuild/protobuf';
import { dataTypeCode, dataTypeName, tensorBytes } from '../../protobuf/dtypes.js';
import { Attribute_Type, NodeSchema, TensorSchema, type Node, type Tensor } from '../../protobuf/onnx_pb.js';
import { readTensor, type ExternalData } from '../../protobuf/tensor.js';
import type { OnnxFile } from '../file.js';
import { broadcastStrides, type StaticTensor } from '../static-tensor.js';
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

function placesOf(named: ReadonlyMap<string, StaticTensor>): Places {
  const places = new Map<number, readonly [string, number] | null>();
  for (const [name, { data }] of named) {
    data.forEach((number, index) => places.set(number, places.has(number) ? null : [name, index]));
  }
  return places;
}

/** The tensor and place that each number of a copy came from. */
type Origins = readonly (readonly [tensor: string, index: number])[];

/** For each number of a tensor, which named tensor and place it was copied from; null where not all of them were. */
function originsOf(
  copy: StaticTensor,
  places: Places,
  named: ReadonlyMap<string, StaticTensor>,
): Origins | null {
  const origins: (readonly [string, number] | null)[] = [];
  const distinct = new Set<number>();
  for (const number of copy.data) {
    const place = places.get(number);
    if (place === undefined) return null;
    origins.push(place);
    distinct.add(number);
  }
  if (distinct.size < fewestDistinct) return null;
  return origins.includes(null) ? evenOrigins(copy, origins, named) : (origins as Origins);
}

/** How far along a tensor one lands by a step along each axis of its transposed or sliced copy, from what stands in one place; null where that does not tell. */
function stepsOf(
  { shape }: StaticTensor,
  origins: readonly (readonly [string, number] | null)[],
): number[] | null {
  const strides = broadcastStrides(shape, shape.length);
  const steps = shape.map((extent, axis) => {
    if (extent === 1) return 0;
    const stride = strides[axis]!;
    const k = origins.findIndex((origin, at) => {
      const next = Math.floor(at / stride) % extent < extent - 1 ? origins[at + stride] : undefined;
      return origin !== null && next?.[0] === origin[0];
    });
    return k < 0 ? null : origins[k + stride]![1] - origins[k]![1];
  });
  return steps.includes(null) ? null : (steps as number[]);
}

/**
 * The origins of a copy of one tensor, some of whose numbers stand in several places: where even steps along its axes, which the other
 * numbers tell, lead to equal numbers throughout. Null where they do not.
 */
function evenOrigins(
  copy: StaticTensor,
  origins: readonly (readonly [string, number] | null)[],
  named: ReadonlyMap<string, StaticTensor>,
): Origins | null {
  const first = origins.findIndex((origin) => origin !== null);
  const steps = stepsOf(copy, origins);
  if (first < 0 || steps === null) return null;
  const [source, at] = origins[first]!;
  const strides = broadcastStrides(copy.shape, copy.shape.length);
  const along = (k: number): number =>
    copy.shape.reduce((sum, extent, axis) => sum + (extent === 1 ? 0 : (Math.floor(k / strides[axis]!) % extent) * steps[axis]!), 0); // prettier-ignore
  const start = at - along(first);
  const { data } = named.get(source)!;
  const found = Array.from(copy.data, (_, k) => [source, start + along(k)] as const);
  return found.every(([, index], k) => data[index] === copy.data[k]) ? found : null;
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
  origins: Origins,
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
 * elsewhere under their own. Copies whose every number stands in exactly one place of the named tensors, or whose places are told by even
 * steps along their axes, are made from these again, so that they move with them.
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
  const numbers = new Map(named.map((tensor) => [tensor.name, readTensor(tensor, external)]));
  const places = placesOf(numbers);
  const initializers = new Map(file.initializers);
  const nodes: Node[] = [];
  for (const copy of copies) {
    const origins = originsOf(readTensor(copy, external), places, numbers);
    if (origins === null) continue;
    const made = remade(copy, origins, sizes);
    nodes.push(...made.nodes);
    initializers.delete(copy.name);
    for (const each of made.vectors) initializers.set(each.name, each);
  }
  return nodes.length === 0 ? file : { ...file, initializers, nodes: [...nodes, ...file.nodes] };
}
