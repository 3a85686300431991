import type { Constant, Graph, Node, Value } from '../types.js';
import { sizeOf } from '../types.js';

/**
 * The first node that reads a constant whose numbers depend on how many examples are evaluated together, such as a division by the
 * length of the batch or each one's place in it; null where there is none. Both graphs are the same network's, of so many examples each; `explained` are constants that may differ.
 */
export function countedNode(graph: Graph, other: Graph, explained = new Set<Value>()): Node | null {
  const counts = graph.constants
    .filter((constant, k) => !explained.has(constant.value) && !isAlike(constant, other.constants[k]))
    .map(({ value }) => value.id);
  const dependent = new Set(counts);
  return graph.nodes.find(({ inputs }) => inputs.some((input) => input && dependent.has(input.id))) ?? null;
}

/** Whether a constant holds the same numbers; where it is of another extent, one number throughout. */
function isAlike({ value, data }: Constant, other: Constant | undefined): boolean {
  if (other === undefined) return false;
  const isSame = sizeOf(value.shape) === sizeOf(other.value.shape);
  const first = data[0];
  const expected = (k: number): unknown => (isSame ? other.data[k] : first);
  for (let k = 0; k < data.length; k++) if (!Object.is(data[k], expected(k))) return false;
  return isSame || Object.is(first, other.data[0]);
}
