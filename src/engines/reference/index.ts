import { EngineError } from '../../errors.js';
import type { Graph, Value } from '../../graph/types.js';
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
  const widened = ({ shape }: Value): number => 8 * sizeOf(shape);
  const total = (values: readonly Value[]): number => values.reduce((sum, value) => sum + widened(value), 0);
  const given = [...inputs, ...[...parameters, ...constants].map(({ value }) => value)];
  return total(given) + 2 * peakBytes(graph, widened, ({ outputs }) => total(outputs)) + UNCOLLECTED;
}

function programOf(graph: Graph): Program {
  let parameters = parameterTensors(graph, new Float64Array(parameterCount(graph.parameters)));
  const runChunk = (feeds: Feeds, gradient?: Float64Array): number => {
    const bound = new Map([...parameters, ...feedTensors(graph, feeds)]);
    if (gradient === undefined) return evaluate(graph, bound, graph.outputs.slice(0, 1))[0]!.data[0]!;
    checkLength('gradient', gradient.length, parameterCount(graph.parameters));
    const [loss, ...parts] = evaluate(graph, bound);
    addGradients(gradient, parts);
    return loss!.data[0]!;
  };
  return {
    load(theta) {
      parameters = parameterTensors(graph, theta);
    },
    run: (feeds, gradient) => new Promise((resolve) => resolve(runChunk(feeds, gradient))),
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
  facts: { precision: 'float64', fills: 'thread' },
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
