import type { Graph } from '../../graph/types.js';
import { parameterCount, sizeOf } from '../../graph/types.js';
import { checkLength } from '../checks.js';
import type { Feeds } from '../types.js';
import type { Tensor } from './tensor.js';
import { tensorOf } from './tensor.js';

/** θ [K] cut into copies of the graph's parameters, by value id. */
export function parameterTensors(graph: Graph, theta: Float64Array): Map<number, Tensor> {
  checkLength('θ', theta.length, parameterCount(graph.parameters));
  const tensors = new Map<number, Tensor>();
  let start = 0;
  for (const { value } of graph.parameters) {
    const end = start + sizeOf(value.shape);
    tensors.set(value.id, { shape: value.shape, data: theta.slice(start, end) });
    start = end;
  }
  return tensors;
}

/** The arrays fed to a graph's inputs, widened to float64, by value id. */
export function feedTensors(graph: Graph, feeds: Feeds): Map<number, Tensor> {
  return new Map(
    graph.inputs.map((value) => {
      const data = feeds[value.name];
      checkLength(`feed ${value.name}`, data?.length ?? 0, sizeOf(value.shape));
      return [value.id, tensorOf(value.shape, data!)];
    }),
  );
}
