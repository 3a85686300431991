import type { Node } from '../../protobuf/onnx_pb.js';
import { graphsWithin } from '../file.js';

/** A reading of an initialiser, with the axes that nodes between have put in another order. */
export interface Use {
  readonly node: Node;
  readonly index: number;
  readonly rank: number;
  /** For each axis of what the node reads: the axis of the initialiser; null where a Reshape came between. */
  readonly axes: readonly number[] | null;
}

/** Operators behind which a tensor is still the same weight, and those that change its shape too. */
const passing = new Set(['Identity', 'Cast', 'Transpose', 'Dropout']);
const reshaping = new Set(['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Slice', 'Split', 'Expand', 'Tile']);

function afterPassing({ node, axes }: Use): Use['axes'] {
  if (axes === null || reshaping.has(node.opType)) return null;
  if (node.opType !== 'Transpose') return axes;
  const perm = node.attribute.find(({ name }) => name === 'perm')?.ints.map(Number);
  return (perm ?? [...axes.keys()].reverse()).map((axis) => axes[axis] ?? 0);
}

/** Who reads each tensor, and as which input. */
export type Readers = ReadonlyMap<string, readonly (readonly [node: Node, index: number])[]>;

/** Who reads each tensor, in branches and bodies of loops too. */
export function readersOf(nodes: readonly Node[]): Readers {
  const readers = new Map<string, [Node, number][]>();
  for (const node of nodes.flatMap((each) => [each, ...graphsWithin(each).flatMap((graph) => graph.node)])) {
    node.input.forEach((name, index) => {
      const list = readers.get(name);
      if (list) list.push([node, index]);
      else readers.set(name, [[node, index]]);
    });
  }
  return readers;
}

/** All uses of a tensor, also behind nodes that pass it on. */
export function usesOf(readers: Readers, tensor: string, rank: number): Use[] {
  const uses: Use[] = [];
  const names: (readonly [name: string, axes: Use['axes']])[] = [
    [tensor, Array.from({ length: rank }, (_, axis) => axis)],
  ];
  for (let next = names.pop(); next !== undefined; next = names.pop()) {
    const [name, axes] = next;
    for (const [node, index] of readers.get(name) ?? []) {
      const use: Use = { node, index, rank, axes };
      const passed = index === 0 && (passing.has(node.opType) || reshaping.has(node.opType));
      if (!passed) uses.push(use);
      else for (const output of node.output) names.push([output, afterPassing(use)]);
    }
  }
  return uses;
}
