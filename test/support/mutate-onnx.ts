import { clone, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { Model, Node, Tensor } from '../../src/onnx/protobuf/onnx_pb.js';
import { ModelSchema, NodeSchema } from '../../src/onnx/protobuf/onnx_pb.js';
import { below, mutated, pick } from './mutate.js';
import type { Random } from './samples.js';

const integers = [-(2n ** 63n), -3n, -1n, 0n, 1n, 2n, 7n, 1000n, 2n ** 31n, 2n ** 40n, 2n ** 62n];
const numbers = [NaN, Infinity, -1, 0, 1e-30, 1e30];
const operators = ['Add', 'Relu', 'Conv', 'MaxPool', 'Reshape', 'Expand', 'Gather', 'Concat', 'Tile', 'Pad', 'Slice', 'MatMul', 'Einsum', 'If', 'Softmax', 'Transpose', 'ConstantOfShape', 'Range', 'Resize']; // prettier-ignore

/** A model with damaged bytes, or whose nodes, attributes, tensors and names are other than they were. */
export function mutatedOnnx(bytes: Uint8Array, random: Random): Uint8Array {
  if (below(random, 3) === 0) return mutated(bytes, random);
  const model = fromBinary(ModelSchema, bytes);
  for (let changes = 1 + below(random, 4); changes > 0; changes--) pick(random, changesOf)(model, random);
  return toBinary(ModelSchema, model);
}

/** Each changes one thing of a model's meaning. */
const changesOf: readonly ((model: Model, random: Random) => void)[] = [
  ({ graph }, random) => {
    const node = pick(random, graph!.node);
    node.input[below(random, node.input.length + 1)] = anyName(graph!, random);
  },
  ({ graph }, random) => {
    pick(random, graph!.node).opType = pick(random, operators);
  },
  ({ graph }, random) => {
    pick(random, graph!.node).attribute.pop();
  },
  ({ graph }, random) => {
    changeAttribute(pick(random, graph!.node), random);
  },
  ({ graph }, random) => {
    graph!.node.splice(below(random, graph!.node.length), 1);
  },
  ({ graph }, random) => {
    const copy = clone(NodeSchema, pick(random, graph!.node));
    copy.output[0] = `copy${below(random, 3)}`;
    graph!.node.splice(below(random, graph!.node.length), 0, copy);
  },
  ({ graph }, random) => {
    if (graph!.initializer.length > 0) changeTensor(pick(random, graph!.initializer), random);
  },
  ({ graph }, random) => {
    const dims = graph!.input[0]?.type?.tensorType?.shape?.dim ?? [];
    if (dims.length > 0) pick(random, dims).value = { case: 'dimValue', value: pick(random, integers) };
  },
];

function anyName(graph: NonNullable<Model['graph']>, random: Random): string {
  const made = graph.node.flatMap(({ output }) => output);
  return pick(random, [
    '',
    ...made,
    ...graph.initializer.map(({ name }) => name),
    graph.input[0]?.name ?? '',
  ]);
}

function changeAttribute({ attribute }: Node, random: Random): void {
  if (attribute.length === 0) return;
  const changed = pick(random, attribute);
  if (changed.ints.length > 0) changed.ints[below(random, changed.ints.length + 1)] = pick(random, integers);
  changed.i = pick(random, integers);
  changed.f = pick(random, numbers);
  if (changed.t !== undefined) changeTensor(changed.t, random);
}

function changeTensor(tensor: Tensor, random: Random): void {
  const kind = below(random, 5);
  if (kind === 0) tensor.dims[below(random, tensor.dims.length + 1)] = pick(random, integers);
  else if (kind === 1) tensor.dims = tensor.dims.toReversed();
  else if (kind === 2) tensor.dataType = below(random, 20);
  else if (tensor.rawData.length > 0) tensor.rawData = scrambled(tensor.rawData, random);
}

/** Whole numbers of eight bytes or floats of four in which one became another. */
function scrambled(data: Uint8Array, random: Random): Uint8Array {
  const bytes = Uint8Array.from(data);
  const at = 4 * below(random, Math.ceil(bytes.length / 4));
  for (let k = at; k < Math.min(bytes.length, at + 8); k++) bytes[k] = pick(random, [0, 1, 0x7f, 0xff, 3]);
  return bytes;
}
