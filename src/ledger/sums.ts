import { sum } from '../num/sums.js';
import { sumStrips } from './atoms.js';
import { neuronCount, neuronOffsets, stripsOf } from './layout.js';
import type { ParameterLayout } from './types.js';

/** Sums of one row, each rounded once from a compensated sum, in θ's order. */
export interface GroupSums {
  /** [Σ neurons] */
  readonly neuronSums: Float64Array;
  /** [layers]; of a layer's neuron sums and then of its tensors without neurons. */
  readonly layerSums: Float64Array;
  /** Of the layer sums. */
  readonly total: number;
}

/** Sums values [K] by neuron, by layer and in all. */
export function groupSums(values: Float64Array | Float32Array, layout: ParameterLayout): GroupSums {
  const neurons = neuronCount(layout);
  const cells = sumStrips(values, stripsOf(layout), neurons + layout.layers.length);
  const neuronSums = cells.subarray(0, neurons);
  const rest = cells.subarray(neurons);
  const layerSums = sumLayers(neuronSums, rest, layout);
  return { neuronSums, layerSums, total: sum(layerSums) };
}

/** Layer sums [layers] from the sums of their neurons [Σ neurons] and of the rest [layers] (zeros where every tensor has neurons). */
export function sumLayers(
  neuronSums: Float64Array,
  rest: Float64Array,
  layout: ParameterLayout,
): Float64Array {
  const offsets = neuronOffsets(layout);
  return Float64Array.from(layout.neurons, (count, layer) => {
    const from = offsets[layer]!;
    return sum([...neuronSums.subarray(from, from + count), rest[layer]!]);
  });
}
