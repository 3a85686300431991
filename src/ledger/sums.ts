import { CellSums } from '../num/cell-sums.js';
import { type Floats, sum } from '../num/sums.js';
import type { VectorLoops } from '../num/vector-loops.js';
import { sumAtoms } from './atoms.js';
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

/**
 * Sums values [K] by neuron, by layer and in all.
 *
 * @param atoms Their sums by atom of the neuron axis, where they are known: what the first tensor of a neuron adds is taken from there.
 */
export function groupSums(
  values: Floats,
  layout: ParameterLayout,
  atoms: CellSums = sumAtoms(values, layout.atoms.neuronAxis),
  loops?: VectorLoops,
): GroupSums {
  const neurons = neuronCount(layout);
  const sums = new CellSums(neurons + layout.layers.length);
  const begun = new Set<number>();
  for (const [t, strip] of stripsOf(layout).entries()) {
    const { first } = layout.atoms.neuronAxis[t]!;
    if (begun.has(strip.first)) sums.addStrip(values, strip, loops);
    else sums.adopt(strip.first, atoms, first, first + strip.extent);
    begun.add(strip.first);
  }
  const cells = sums.results();
  const neuronSums = cells.subarray(0, neurons);
  const layerSums = sumLayers(neuronSums, cells.subarray(neurons), layout);
  return { neuronSums, layerSums, total: sum(layerSums) };
}

/** Layer sums [layers] from the sums of their neurons [Σ neurons] and of the rest [layers] (zeros where every tensor has neurons). */
export function sumLayers(
  neuronSums: Float64Array,
  rest: Float64Array,
  layout: ParameterLayout,
): Float64Array {
  const offsets = neuronOffsets(layout);
  const sums = new Float64Array(layout.layers.length);
  const own = new Float64Array(Math.max(0, ...layout.neurons) + 1);
  for (const [layer, count] of layout.neurons.entries()) {
    const from = offsets[layer]!;
    for (let k = 0; k < count; k++) own[k] = neuronSums[from + k]!;
    own[count] = rest[layer]!;
    sums[layer] = sum(own.subarray(0, count + 1));
  }
  return sums;
}
