import { create } from '@bufbuild/protobuf';
import { dataTypeCode, tensorBytes } from '../../protobuf/dtypes.js';
import { Attribute_Type, NodeSchema, TensorSchema, type Node, type Tensor } from '../../protobuf/onnx_pb.js';
import type { OnnxFile } from '../file.js';
import { gatePlaces, type FoldedLayer } from './folded-layers.js';

/** Nodes that compute what an exporter had folded, and the tensors that they read. */
interface Made {
  readonly nodes: Node[];
  readonly tensors: Tensor[];
}

function tensorOf(name: string, dims: readonly number[], data: Float32Array): Tensor {
  const rawData = tensorBytes('float32', data);
  return create(TensorSchema, { name, dims: dims.map(BigInt), dataType: dataTypeCode('float32'), rawData });
}

function vector(name: string, numbers: readonly number[]): Tensor {
  const rawData = tensorBytes('int64', numbers);
  return create(TensorSchema, { name, dims: [BigInt(numbers.length)], dataType: dataTypeCode('int64'), rawData });
} // prettier-ignore

function joined(input: readonly string[], output: string): Node {
  const attribute = [{ name: 'axis', type: Attribute_Type.INT, i: 0n }];
  return create(NodeSchema, { opType: 'Concat', input: [...input], output: [output], attribute });
}

/** Runs of gates that stand side by side in PyTorch's order too, as its exporter slices them: first gate and the one behind the last. */
function runsOf(places: readonly number[]): [number, number][] {
  const runs: [number, number][] = [];
  for (const place of places) {
    const last = runs.at(-1);
    if (last?.[1] === place) last[1]++;
    else runs.push([place, place + 1]);
  }
  return runs;
}

/** Puts the rows of the gates of `source` [G·H, …] into ONNX's order. Returns the name of the result. */
function reordered(made: Made, source: string, op: string, rows: number): string {
  const places = gatePlaces[op]!;
  const runs = runsOf(places);
  if (runs.length === 1) return source;
  const height = rows / places.length;
  const slices = runs.map(([from, to], k) => {
    const part = `${source}/gates${k}`;
    const settings = [vector(`${part}/start`, [from * height]), vector(`${part}/end`, [to * height]), vector(`${part}/axis`, [0])]; // prettier-ignore
    made.tensors.push(...settings);
    const input = [source, ...settings.map(({ name }) => name)];
    made.nodes.push(create(NodeSchema, { opType: 'Slice', input, output: [part] }));
    return part;
  });
  made.nodes.push(joined(slices, `${source}/gates`));
  return `${source}/gates`;
}

/** Adds an axis of directions in front. */
function widened(made: Made, source: string, output = `${source}/direction`): string {
  const axes = { name: 'axes', type: Attribute_Type.INTS, ints: [0n] };
  made.nodes.push(create(NodeSchema, { opType: 'Unsqueeze', input: [source], output: [output], attribute: [axes] })); // prettier-ignore
  return output;
}

/** What PyTorch's exporter writes of a layer's arrays where it does not fold: W, R and B under the names that they had. */
function computed({ nodes, stored, arrays }: FoldedLayer, names: readonly string[]): Made {
  const made: Made = { nodes: [], tensors: [] };
  const op = nodes[0]!.opType;
  const ordered = arrays.map(({ shape }, k) => reordered(made, names[k]!, op, shape[0]!));
  const directions = arrays.filter(({ kind }) => kind === 'weight_ih').length;
  const count = arrays.length / directions;
  stored.forEach((output, k) => {
    const ofEach = Array.from({ length: directions }, (_, d) => {
      const first = d * count + k;
      if (k < 2) return ordered[first]!;
      const both = `${names[first]!}/biases`;
      made.nodes.push(joined(ordered.slice(first, first + 2), both));
      return both;
    });
    if (directions === 1) widened(made, ofEach[0]!, output);
    else
      made.nodes.push(
        joined(
          ofEach.map((source) => widened(made, source)),
          output,
        ),
      );
  });
  return made;
}

/** When each tensor is read first: the place of the node. */
function firstReads(nodes: readonly Node[]): Map<string, number> {
  const reads = new Map<string, number>();
  nodes.forEach(({ input }, at) => input.forEach((name) => reads.set(name, Math.min(reads.get(name) ?? at, at))));
  return reads;
} // prettier-ignore

/**
 * The file with the arrays of its folded layers as parameters, `names` [layers][arrays], and with the nodes that make W, R and B of them.
 * The arrays stand among the initialisers in the order of the layers.
 */
export function withArraysNamed(
  file: OnnxFile,
  layers: readonly FoldedLayer[],
  names: readonly (readonly string[])[],
): OnnxFile {
  const gone = new Set(layers.flatMap(({ nodes }) => nodes.flatMap(({ input }) => input.slice(1, 4))));
  const tensors = [...file.initializers.values()].filter(({ name }) => !gone.has(name));
  const made = layers.map((layer, k) => computed(layer, names[k]!));
  const reads = firstReads(file.nodes);
  let least = 0;
  layers.forEach((layer, k) => {
    const own = layer.arrays.map((array, n) => tensorOf(names[k]![n]!, array.shape, array.data()));
    // In front of the first tensor that is read behind the layer: in most networks the order of declaration.
    const at = file.nodes.indexOf(layer.nodes[0]!);
    const behind = tensors.findIndex(({ name }) => (reads.get(name) ?? -1) > at);
    const place = Math.max(least, behind < 0 ? tensors.length : behind);
    tensors.splice(place, 0, ...own);
    least = place + own.length;
  });
  const storedBy = new Map(layers.flatMap(({ nodes, stored }) => nodes.map((node) => [node, stored])));
  const nodes = file.nodes.map((node) => {
    const stored = storedBy.get(node);
    return stored === undefined ? node : { ...node, input: [node.input[0]!, ...stored, ...(stored.length < 3 ? [''] : []), ...node.input.slice(4)] }; // prettier-ignore
  });
  return {
    ...file,
    nodes: [...made.flatMap((each) => each.nodes), ...nodes],
    initializers: new Map([...tensors, ...made.flatMap((each) => each.tensors)].map((tensor) => [tensor.name, tensor])), // prettier-ignore
  };
}
