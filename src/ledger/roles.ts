import type { Graph, Node, Parameter, Value } from '../graph/types.js';
import type { ParameterKind, TensorSpan } from './types.js';

/** What a parameter does, as the nodes that use it show. */
export type Role = Pick<TensorSpan, 'kind' | 'inputAxis'>;

/** Operators that hand their first input on, its numbers as they are. */
const views: ReadonlySet<string> = new Set([
  'Cast', 'Expand', 'Flatten', 'Identity', 'Reshape', 'Slice', 'Squeeze', 'Transpose', 'Unsqueeze',
]); // prettier-ignore

/** Kinds of an operator's inputs, by their places; null where it says nothing. */
const kindsOf: readonly (readonly [operator: RegExp, kinds: readonly (ParameterKind | null)[]])[] = [
  [/^BatchNormalization$/, [null, 'normalisation', 'normalisation', 'statistics', 'statistics']],
  [/^(Batch|Layer|Instance|Group|RMS|SimplifiedLayer)Norm/, [null, 'normalisation', 'normalisation']],
  [/^Conv(Transpose)?$/, [null, 'kernel', 'bias']],
  [/^Gemm$/, ['kernel', 'kernel', 'bias']],
  [/^(MatMul|Einsum)$/, ['kernel', 'kernel', 'kernel']],
  [/^Gather$/, ['kernel']],
  [/^(LSTM|GRU|RNN)$/, [null, 'kernel', 'kernel', 'bias']],
  [/^(Add|Sub)$/, ['bias', 'bias']],
  [/^(Mul|Div)$/, ['scale', 'scale']],
];

/** The role of each parameter of a graph, in its order. */
export function rolesOf({ parameters, nodes }: Pick<Graph, 'parameters' | 'nodes'>): Role[] {
  return parameters.map((parameter) => {
    const uses = usesOf(parameter.value, nodes);
    const kinds = uses.map(({ node, place }) => kindOf(node, place)).filter((kind) => kind !== null);
    const kind = kinds[0] ?? 'other';
    return { kind, inputAxis: kind === 'kernel' ? inputAxisOf(parameter, uses) : null };
  });
}

/** A node that uses a value, and in which place. */
interface Use {
  readonly node: Node;
  readonly place: number;
}

/** The nodes that use a value, or a view of it. */
function usesOf(value: Value, nodes: readonly Node[]): Use[] {
  const direct = nodes.flatMap((node) => node.inputs.flatMap((input, place) => (input?.id === value.id ? [{ node, place }] : []))); // prettier-ignore
  return direct.flatMap((use) =>
    views.has(use.node.op) && use.place === 0 ? usesOf(use.node.outputs[0]!, nodes) : [use],
  );
}

function kindOf({ op }: Node, place: number): ParameterKind | null {
  const [, kinds] = kindsOf.find(([operator]) => operator.test(op)) ?? [null, []];
  return kinds[place] ?? null;
}

/** The axis that counts a kernel's inputs: its first but that of the neurons. None where groups share neurons out among inputs. */
function inputAxisOf({ value, neuronAxis }: Parameter, uses: readonly Use[]): number | null {
  const isGrouped = uses.some(({ node }) => Number(node.attributes['group'] ?? 1) > 1);
  if (neuronAxis === null || isGrouped || value.shape.length < 2) return null;
  return neuronAxis === 0 ? 1 : 0;
}
