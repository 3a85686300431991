import { EngineError } from '../../errors.js';
import { nodesAfter } from '../../graph/prune.js';
import type { Graph, Node, Value } from '../../graph/types.js';
import { parameterCount, sizeOf } from '../../graph/types.js';
import { peakBytes } from '../liveness.js';
import type { Engine, Feeds, Program } from '../types.js';
import { checkLength, checkOutputs } from '../checks.js';
import { feedTensors, parameterTensors } from './bind.js';
import { evaluate } from './evaluate.js';
import { kernels } from './kernels/index.js';
import type { Tensor } from './tensor.js';

function checkOperators(graph: Graph): void {
  const unknown = graph.nodes.find((node) => !kernels.has(node.op));
  if (unknown === undefined) return;
  throw new EngineError({
    given: `operator ${unknown.op} of node ${unknown.name}`,
    expected: 'an operator of docs/OPERATORS.md',
    remedy: 'rewrite this part of the model with supported operators',
  });
}

function addGradients(gradient: Float64Array, parts: readonly Tensor[]): void {
  let at = 0;
  for (const { data } of parts) for (const part of data) gradient[at++]! += part;
}

function check(graph: Graph): void {
  checkOutputs(graph);
  checkOperators(graph);
}

/** JavaScript's collector frees what was dropped later: as measured, up to as much again as lives, and this many bytes in small runs. */
const UNCOLLECTED = 32e6;

/**
 * Bytes in float64 of all that is fed or set, and of what a run computes and still needs, at its peak: kernels drop a tensor after its
 * last use, and write down where the elements of each output come from (two int32 an element).
 */
function memoryOf({ inputs, parameters, constants, ...graph }: Graph): number {
  const { kept } = variedPart({ inputs, parameters, constants, ...graph });
  const widened = ({ shape }: Value): number => 8 * sizeOf(shape);
  const total = (values: readonly Value[]): number => values.reduce((sum, value) => sum + widened(value), 0);
  const given = [...inputs, ...[...parameters, ...constants].map(({ value }) => value)];
  return (
    total(given) + total(kept) + 2 * peakBytes(graph, widened, ({ outputs }) => total(outputs)) + UNCOLLECTED
  );
}

/** What the varied input changes: the nodes, and the values that these and the outputs take from others. All of it where there is none. */
function variedPart(graph: Graph): { nodes: readonly Node[]; kept: readonly Value[] } {
  const input = graph.inputs.find(({ name }) => name === graph.varied);
  if (input === undefined) return { nodes: graph.nodes, kept: [] };
  const nodes = nodesAfter(graph, input);
  const own = new Set(nodes.flatMap(({ outputs }) => outputs));
  const made = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
  const read = new Set([...graph.outputs, ...nodes.flatMap(({ inputs }) => inputs)]);
  return { nodes, kept: [...read].filter((value) => value !== null && made.has(value) && !own.has(value)) as Value[] };
} // prettier-ignore

function programOf(graph: Graph): Program {
  let parameters = parameterTensors(graph, new Float64Array(parameterCount(graph.parameters)));
  const varied = variedPart(graph);
  let kept = new Map<number, Tensor>();
  const lossOf = (results: readonly Tensor[], gradient?: Float64Array): number => {
    if (gradient !== undefined) addGradients(gradient, results.slice(1, graph.outputs.length));
    return results[0]!.data[0]!;
  };
  const outputsFor = (gradient?: Float64Array): readonly Value[] => {
    if (gradient === undefined) return graph.outputs.slice(0, 1);
    checkLength('gradient', gradient.length, parameterCount(graph.parameters));
    return graph.outputs;
  };
  const runChunk = (feeds: Feeds, gradient?: Float64Array): number => {
    const bound = new Map([...parameters, ...feedTensors(graph, feeds)]);
    const outputs = outputsFor(gradient);
    const results = evaluate(graph, bound, [...outputs, ...varied.kept]);
    kept = new Map(varied.kept.map(({ id }, k) => [id, results[outputs.length + k]!]));
    return lossOf(results, gradient);
  };
  const runAgain = (feeds: Feeds, gradient?: Float64Array): number => {
    const bound = new Map([...parameters, ...feedTensors(graph, feeds), ...kept]);
    return lossOf(evaluate({ ...graph, nodes: varied.nodes }, bound, outputsFor(gradient)), gradient);
  };
  return {
    load(theta) {
      parameters = parameterTensors(graph, theta);
    },
    run: (feeds, gradient) => new Promise((resolve) => resolve(runChunk(feeds, gradient))),
    rerun: (feeds, gradient) => new Promise((resolve) => resolve(runAgain(feeds, gradient))),
    memory: memoryOf(graph),
    dispose: () => Promise.resolve(),
  };
}

/**
 * The oracle: plain loops in float64, one kernel per operator. float32 tensors are widened, θ is used as it is given.
 * Slow, and meant to be read.
 */
export const referenceEngine: Engine = {
  name: 'reference',
  facts: { precision: 'float64', fills: 'thread', interruptible: true },
  available: () => Promise.resolve({ ok: true, detail: 'float64 loops in JavaScript' }),
  version: () => 'reference 1',
  plan(graph) {
    check(graph);
    return { memory: memoryOf(graph) };
  },
  compile: (graph) =>
    new Promise((resolve) => {
      check(graph);
      resolve(programOf(graph));
    }),
};
