import type { DType, Graph, Node, Value } from '../graph/types.js';
import { sizeOf } from '../graph/types.js';

const bytesPerElement: Readonly<Record<DType, number>> = {
  float32: 4,
  int64: 8,
  int32: 4,
  uint8: 1,
  bool: 1,
};

/** Bytes of a tensor stored in its own type. */
export function bytesOf({ dtype, shape }: Value): number {
  return bytesPerElement[dtype] * sizeOf(shape);
}

/**
 * Most bytes of node outputs and of a running node's `workspace` alive at once where nodes run in order and each output is freed after the last node that reads it; the
 * graph's outputs live to the end.
 */
export function peakBytes(
  { nodes, outputs }: Pick<Graph, 'nodes' | 'outputs'>,
  bytes: (value: Value) => number = bytesOf,
  workspace: (node: Node) => number = () => 0,
): number {
  const lastUse = new Map<number, number>();
  nodes.forEach(({ inputs }, at) => inputs.forEach((value) => value && lastUse.set(value.id, at)));
  for (const { id } of outputs) lastUse.set(id, nodes.length);
  const freed = new Map<number, number>();
  let live = 0;
  let peak = 0;
  nodes.forEach((node, at) => {
    for (const value of node.outputs) {
      const end = lastUse.get(value.id) ?? at;
      live += bytes(value);
      freed.set(end, (freed.get(end) ?? 0) + bytes(value));
    }
    peak = Math.max(peak, live + workspace(node));
    live -= freed.get(at) ?? 0;
  });
  return peak;
}
