import { EngineError } from '../../errors.js';
import type { Graph } from '../../graph/types.js';
import { parameterCount, sizeOf } from '../../graph/types.js';
import type { Engine, Feeds, Program } from '../types.js';
import { checkLength } from '../feeds.js';
import { feedTensors, parameterTensors } from './bind.js';
import { evaluate } from './evaluate.js';
import { kernels } from './kernels/index.js';
import type { Tensor } from './tensor.js';

function checkOutputs(graph: Graph): void {
  const wanted = graph.parameters.length + 1;
  const [loss] = graph.outputs;
  if (loss !== undefined && sizeOf(loss.shape) === 1 && [1, wanted].includes(graph.outputs.length)) return;
  throw new EngineError({
    given: `graph ${graph.name} with ${graph.outputs.length} outputs`,
    expected: `a scalar loss, alone or followed by ${wanted - 1} gradients`,
    remedy: 'attach a loss, and differentiate it',
  });
}

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
    dispose: () => Promise.resolve(),
  };
}

/**
 * The oracle: plain loops in float64, one kernel per operator. float32 tensors are widened, θ is used as it is given.
 * Slow, and meant to be read.
 */
export const referenceEngine: Engine = {
  name: 'reference',
  available: () => Promise.resolve({ ok: true, detail: 'float64 loops in JavaScript' }),
  version: () => 'reference 1',
  compile: (graph) =>
    new Promise((resolve) => {
      checkOutputs(graph);
      checkOperators(graph);
      resolve(programOf(graph));
    }),
};
