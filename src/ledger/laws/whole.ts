import { sum } from '../../num/sums.js';
import { neuronOffsets, stripsOf } from '../layout.js';
import { groupSums } from '../sums.js';
import type { ParameterLayout } from '../types.js';
import { type Deviation, deviations, type Law, reordering, sizeOfAll, type StoredRow } from './law.js';

/** total = Σ layer sums. */
export const totalLaw: Law = (row) =>
  deviations(
    'total and the sum of the layer sums',
    null,
    row('total')![0]!,
    sum(row('layer_sums') as Float64Array),
  );

/** total = Σ over the directions of a basis, and what they leave, within rounding. */
export const basisLaw: Law = (row) => {
  const sums = row('basis_sums') as Float64Array | null;
  if (sums === null) return [];
  const scale = sizeOfAll(sums) + sizeOfAll(row('neuron_sums') ?? []) + sizeOfAll(row('layer_sums')!);
  return deviations('total and the sum by direction', null, row('total')![0]!, sum(sums), reordering * scale);
};

/** residual = total − loss change. */
export const residualLaw: Law = (row) => {
  const [start, end] = row('loss')!;
  const expected = row('total')![0]! - (end! - start!);
  return deviations('residual and total - loss change', null, row('residual')![0]!, expected);
};

/** layer sum = Σ neuron sums, where all of a layer's tensors have neurons. */
export const neuronLaw: Law = (row, layout) => {
  const neuronSums = row('neuron_sums') as Float64Array | null;
  if (neuronSums === null) return [];
  const layerSums = row('layer_sums')!;
  const offsets = neuronOffsets(layout);
  return layout.layers.flatMap((layer, index) => {
    const whole = layout.tensors.every((tensor) => tensor.layer !== layer || tensor.neuronAxis !== null);
    if (!whole) return [];
    const own = neuronSums.subarray(offsets[index], offsets[index]! + layout.neurons[index]!);
    return deviations('layer sum and the sum of its neuron sums', layer, layerSums[index]!, sum(own));
  });
};

/** helping + hurting + zero = the layer's parameters. */
export const countLaw: Law = (row, layout) => {
  const sizes = new Int32Array(layout.layers.length);
  for (const { tensor, layer } of stripsOf(layout)) sizes[layer]! += tensor.size;
  return layout.layers.flatMap((layer, index) => {
    const counted = row('helping')![index]! + row('hurting')![index]! + row('zero')![index]!;
    return deviations('helping + hurting + zero and the number of parameters', layer, counted, sizes[index]!);
  });
};

/**
 * Stored allocations agree with the sums to the bit where they are float64, else within their rounding to float32:
 * (2^-24 + 2^-40) Σ|a| + n 2^-149; no more of them are negative or positive than were counted (rounding can only make zeros).
 */
export const allocationLaw: Law = (row, layout) => {
  const allocation = row('allocation') as Float32Array | Float64Array | null;
  if (allocation === null) return [];
  return [...sumsLaw(allocation, row, layout), ...signsLaw(allocation, row, layout)];
};

function sumsLaw(
  allocation: Float32Array | Float64Array,
  row: StoredRow,
  layout: ParameterLayout,
): Deviation[] {
  const rounded = groupSums(allocation, layout);
  const sizes = groupSums(allocation.map(Math.abs), layout);
  const counts = groupSums(new Float32Array(layout.size).fill(1), layout);
  const exact = allocation instanceof Float64Array;
  const compare = (column: 'layer_sums' | 'neuron_sums', what: string, kind: 'layerSums' | 'neuronSums', layers: readonly string[]) =>
    [...(row(column) ?? [])].flatMap((given, k) => {
      const bound = exact ? 0 : (2 ** -24 + 2 ** -40) * sizes[kind][k]! + counts[kind][k]! * 2 ** -149;
      return deviations(`${what} and the sum of its stored allocations`, layers[k]!, given, rounded[kind][k]!, bound);
    }); // prettier-ignore
  return [
    ...compare('layer_sums', 'layer sum', 'layerSums', layout.layers),
    ...compare('neuron_sums', 'neuron sum', 'neuronSums', layersOfNeurons(layout)),
  ];
}

function signsLaw(
  allocation: Float32Array | Float64Array,
  row: StoredRow,
  layout: ParameterLayout,
): Deviation[] {
  const negative = new Int32Array(layout.layers.length);
  const positive = new Int32Array(layout.layers.length);
  for (const { tensor, layer } of stripsOf(layout)) {
    for (let k = tensor.offset; k < tensor.offset + tensor.size; k++) {
      if (allocation[k]! < 0) negative[layer]!++;
      else if (allocation[k]! > 0) positive[layer]!++;
    }
  }
  const atMost = (what: string, layer: number, found: number, counted: number) =>
    deviations(what, layout.layers[layer]!, found, Math.min(found, counted));
  return layout.layers.flatMap((_, l) => [
    ...atMost('helping and the stored allocations below zero', l, negative[l]!, row('helping')![l]!),
    ...atMost('hurting and the stored allocations above zero', l, positive[l]!, row('hurting')![l]!),
  ]);
}

/** Layer of each neuron. */
function layersOfNeurons(layout: ParameterLayout): string[] {
  return layout.layers.flatMap((layer, index) => new Array<string>(layout.neurons[index]!).fill(layer));
}
