import type { Graph, Node, Parameter, Value } from '../../graph/types.js';
import { sizeOf } from '../../graph/types.js';
import type { OwnGrouping } from '../types.js';

/** Name of the grouping by attention heads. */
const head = 'head';

/** Operators that pass an activation on, as far as heads are concerned. */
const passing: ReadonlySet<string> = new Set([
  'Cast', 'Concat', 'Div', 'Gather', 'Identity', 'Mul', 'Reshape', 'Slice', 'Split', 'Squeeze', 'Transpose', 'Unsqueeze',
]); // prettier-ignore

/** Output neurons of a projection that become one head each: `repeats` times `heads` runs of `width`, from one on. */
interface Split {
  readonly from: number;
  readonly repeats: number;
  readonly heads: number;
  readonly width: number;
}

type Shown = Pick<Graph, 'parameters' | 'nodes'>;

/**
 * Attention heads of a graph as a grouping, whose cells are the parts of queries’, keys’ and values’ projections that belong to a head; null where
 * it shows none. A head is shown by a reshape that divides the outputs of a projection into [heads, width], a transposition that moves the heads
 * before the positions, and a product of two activations.
 */
export function headsOf(graph: Shown): OwnGrouping | null {
  const cells = new Map<string, Set<string>>();
  for (const node of graph.nodes) {
    const split = splitOf(node);
    if (split === null || !isTurned(graph, node)) continue;
    for (const { parameter, from } of projectionOf(graph, node.inputs[0]!)) {
      for (let h = 0; h < split.heads; h++) {
        const name = `${moduleOf(parameter.layer)}[head ${h}]`;
        const own = cells.get(name) ?? new Set();
        for (const range of rangesOf({ ...split, from }, h)) own.add(`${parameter.value.name}[${range}]`);
        cells.set(name, own);
      }
    }
  }
  if (cells.size === 0) return null;
  return { name: head, cells: [...cells].map(([name, patterns]) => ({ name, patterns: [...patterns] })) };
}

/** A layer's name up to its last dot; one without stands for itself. */
function moduleOf(layer: string): string {
  return layer.includes('.') ? layer.slice(0, layer.lastIndexOf('.')) : layer;
}

/** How a reshape divides the last axis of what it takes: into [heads, width], or [2 or 3, heads, width] of queries, keys and values; else null. */
function splitOf({ op, inputs, outputs }: Node): Split | null {
  const extent = inputs[0]?.shape.at(-1);
  if (op !== 'Reshape' || extent === undefined) return null;
  const { shape } = outputs[0]!;
  const [repeats = 1, heads = 1, width = 1] = shape.slice(-3);
  if (shape.length < 4 || heads < 2) return null;
  if (heads * width === extent) return { from: 0, repeats: 1, heads, width };
  const isFused = shape.length > 4 && repeats <= 3 && repeats * heads * width === extent;
  return isFused ? { from: 0, repeats, heads, width } : null;
}

/** Whether heads are moved before positions, and multiplied with another activation. */
function isTurned({ nodes, parameters }: Shown, { outputs: [divided] }: Node): boolean {
  const rank = divided!.shape.length;
  const own = new Set(parameters.map(({ value }) => value.id));
  const users = (value: Value) =>
    nodes.filter(({ inputs }) => inputs.some((input) => input?.id === value.id));
  const isMultiplied = (value: Value): boolean =>
    users(value).some((node) =>
      node.op === 'MatMul'
        ? node.inputs.every((input) => !own.has(input!.id))
        : passing.has(node.op) && node.outputs.some(isMultiplied),
    );
  return users(divided!).some(({ op, attributes, outputs }) => {
    if (op !== 'Transpose') return false;
    const perm = attributes['perm'] as readonly number[];
    const places = Array.from({ length: rank - 1 }, (_, axis) => perm.indexOf(axis));
    const ofHeads = places.at(-1)!;
    return places.slice(1, -1).some((place) => ofHeads < place) && isMultiplied(outputs[0]!);
  });
}

/** The parameters whose outputs a value is, weight and bias, and the first of their outputs in it. */
function projectionOf({ nodes, parameters }: Shown, of: Value): { parameter: Parameter; from: number }[] {
  const known = new Map(parameters.map((parameter) => [parameter.value.id, parameter]));
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output.id, node] as const)));
  const found: { parameter: Parameter; from: number }[] = [];
  const take = (value: Value | null | undefined, from: number): boolean => {
    const maker = value && makers.get(value.id);
    const parameter = value && (known.get(value.id) ?? (maker?.op === 'Transpose' ? known.get(maker.inputs[0]!.id) : undefined)); // prettier-ignore
    if (parameter && parameter.neuronAxis !== null) found.push({ parameter, from });
    return parameter !== undefined;
  };
  const walk = (value: Value, from: number): void => {
    const maker = makers.get(value.id);
    if (maker === undefined) return;
    const { op, inputs, outputs, attributes } = maker;
    if (op === 'MatMul' || op === 'Gemm') for (const input of inputs.slice(1)) take(input, from);
    else if (op === 'Add')
      inputs.filter((input) => !take(input, from)).forEach((input) => { walk(input!, from); }); // prettier-ignore
    else if (op === 'Split' && Number(attributes['axis']) === value.shape.length - 1) {
      const before = outputs.slice(
        0,
        outputs.findIndex(({ id }) => id === value.id),
      );
      walk(inputs[0]!, from + before.reduce((sum, { shape }) => sum + shape.at(-1)!, 0));
    } else if (
      op === 'Identity' ||
      op === 'Mul' ||
      op === 'Div' ||
      (op === 'Reshape' && isFlattening(maker))
    ) {
      walk(inputs[0]!, from);
    }
  };
  walk(of, 0);
  return found;
}

/** Whether a reshape leaves the last axis as it is. */
function isFlattening({ inputs, outputs }: Node): boolean {
  return sizeOf(inputs[0]!.shape.slice(-1)) === sizeOf(outputs[0]!.shape.slice(-1));
}

/** Ranges of a projection's outputs that a head has. */
function rangesOf({ from, repeats, heads, width }: Split, h: number): string[] {
  return Array.from({ length: repeats }, (_, r) => {
    const start = from + (r * heads + h) * width;
    return `${start}:${start + width}`;
  });
}
