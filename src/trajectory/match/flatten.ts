import type { Graph, Node, Value } from '../../graph/types.js';

/** Operators that leave every number of an example in its place. */
const inPlace = new Set([
  'Relu', 'LeakyRelu', 'Elu', 'Selu', 'Gelu', 'Tanh', 'Sigmoid', 'Softplus', 'HardSwish', 'HardSigmoid', 'Clip', 'Mul', 'Div', 'Add',
  'Sub', 'Identity', 'Dropout', 'Cast',
]); // prettier-ignore

/**
 * Kernels that read a Flatten of feature maps, channels first: their names with the extents [C, H, W] that were made one axis. A
 * recorder that keeps channels last counts their inputs in another order.
 */
export function flattenedKernels(graph: Graph): ReadonlyMap<string, readonly number[]> {
  const producers = new Map<number, Node>();
  for (const node of graph.nodes) for (const output of node.outputs) producers.set(output.id, node);
  const parameters = new Map(graph.parameters.map(({ value }) => [value.id, value.name]));
  const found = new Map<string, readonly number[]>();
  for (const node of graph.nodes) {
    if (node.op !== 'Gemm' && node.op !== 'MatMul') continue;
    const [input, kernel] = node.inputs;
    const name = kernelName(kernel ?? null, producers, parameters);
    const extents = name === undefined || !input ? null : flattenedExtents(input, producers);
    if (extents !== null) found.set(name!, extents);
  }
  return found;
}

/** The parameter that a kernel is, also behind a Transpose. */
function kernelName(
  kernel: Value | null,
  producers: ReadonlyMap<number, Node>,
  parameters: ReadonlyMap<number, string>,
): string | undefined {
  for (let value = kernel; value !== null;) {
    const name = parameters.get(value.id);
    const producer: Node | undefined = producers.get(value.id);
    if (name !== undefined || producer?.op !== 'Transpose') return name;
    value = producer.inputs[0] ?? null;
  }
  return undefined;
}

/** [C, H, W] where a matrix is feature maps with more than one channel and place, one row an example; null where it is not. */
function flattenedExtents(matrix: Value, producers: ReadonlyMap<number, Node>): readonly number[] | null {
  let value: Value | null = matrix;
  while (value !== null) {
    const node = producers.get(value.id);
    if (node === undefined) return null;
    const [input] = node.inputs;
    if (node.op === 'Reshape' && input) {
      const [, ...extents] = input.shape;
      const isMaps =
        input.shape.length === 4 && value.shape.length === 2 && input.shape[0] === value.shape[0];
      if (!isMaps) {
        value = input;
        continue;
      }
      return extents[0]! > 1 && extents[1]! * extents[2]! > 1 && !isTurned(input, producers) ? extents : null;
    }
    if (!inPlace.has(node.op)) return null;
    value = node.inputs.find((each) => each !== null && producers.has(each.id)) ?? null;
  }
  return null;
}

/** Whether feature maps were turned to channels last just before: then the kernel counts its inputs as TensorFlow does. */
function isTurned(maps: Value, producers: ReadonlyMap<number, Node>): boolean {
  const node = producers.get(maps.id);
  return node?.op === 'Transpose';
}
