import { sum } from '../../num/sums.js';
import { onceFor } from '../../num/once.js';
import { neuronCount, neuronOffsets, stripsOf } from '../layout.js';
import { groupSums } from '../sums.js';
import type { Numbers, ParameterLayout } from '../types.js';
import { type Deviation, deviations, deviationsOf, type Law, reordering, sizeOfAll, type StoredRow, together } from './law.js'; // prettier-ignore

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
  const whole = wholeLayers(layout);
  const own = (l: number) => neuronSums.subarray(offsets[l], offsets[l]! + layout.neurons[l]!);
  return deviationsOf(
    whole.map((l) => layerSums[l]!),
    (k) => sum(own(whole[k]!)),
    (k) => ['layer sum and the sum of its neuron sums', layout.layers[whole[k]!]!],
  );
};

/** Layers, by index, all of whose tensors have neurons. */
const wholeLayers = onceFor(({ layers, tensors }: ParameterLayout) =>
  [...layers.keys()].filter((l) => tensors.every(({ layer, neuronAxis }) => layer !== layers[l] || neuronAxis !== null)),
); // prettier-ignore

/** helping + hurting + zero = the layer's parameters. */
export const countLaw: Law = (row, layout) => {
  const [helping, hurting, zero] = [row('helping')!, row('hurting')!, row('zero')!];
  return deviationsOf(
    layerSizes(layout),
    (l) => helping[l]! + hurting[l]! + zero[l]!,
    (l) => ['helping + hurting + zero and the number of parameters', layout.layers[l]!],
  );
};

/** Parameters of each layer [layers]. */
const layerSizes = onceFor((layout: ParameterLayout) => {
  const sizes = new Int32Array(layout.layers.length);
  for (const { tensor, layer } of stripsOf(layout)) sizes[layer]! += tensor.size;
  return sizes;
});

/**
 * Stored allocations agree with the sums to the bit where they are float64, else within their rounding to float32:
 * (2^-24 + 2^-40) Σ|a| + n 2^-149; no more of them are negative or positive than were counted (rounding can only make zeros).
 */
export const allocationLaw: Law = (row, layout) => {
  const allocation = row('allocation') as Float32Array | Float64Array | null;
  if (allocation === null) return [];
  const found = tallyOf(allocation, layout);
  return together([...sumsLaw(allocation, found, row, layout), ...signsLaw(found, row, layout)]);
};

/** What stored allocations are by cell of `stripsOf` [neurons and layers]: Σ|a|, and how many are below and above zero. */
interface CellTally {
  readonly sizes: Float64Array;
  readonly negative: Int32Array;
  readonly positive: Int32Array;
}

/** One pass without a branch: signs are as good as random. */
function tallyOf(allocation: Float32Array | Float64Array, layout: ParameterLayout): CellTally {
  const cells = neuronCount(layout) + layout.layers.length;
  const [sizes, negative, positive] = [new Float64Array(cells), new Int32Array(cells), new Int32Array(cells)];
  for (const { offset, outer, extent, inner, first } of stripsOf(layout)) {
    let k = offset;
    for (let row = 0; row < outer; row++) {
      for (let cell = first; cell < first + extent; cell++) {
        let [size, below, above] = [0, 0, 0];
        for (const end = k + inner; k < end; k++) {
          const value = allocation[k]!;
          size += Math.abs(value);
          below += Number(value < 0);
          above += Number(value > 0);
        }
        sizes[cell]! += size;
        negative[cell]! += below;
        positive[cell]! += above;
      }
    }
  }
  return { sizes, negative, positive };
}

/** Numbers by cell of `stripsOf` added up by layer [layers]. */
function byLayer(cells: ArrayLike<number>, layout: ParameterLayout): Float64Array {
  const [offsets, neurons] = [neuronOffsets(layout), neuronCount(layout)];
  const sums = new Float64Array(layout.layers.length);
  for (let layer = 0; layer < sums.length; layer++) {
    let total = cells[neurons + layer]!;
    const end = offsets[layer]! + layout.neurons[layer]!;
    for (let k = offsets[layer]!; k < end; k++) total += cells[k]!;
    sums[layer] = total;
  }
  return sums;
}

/** Parameters of each cell of `stripsOf`. */
const cellCounts = onceFor((layout: ParameterLayout) => {
  const counts = new Float64Array(neuronCount(layout) + layout.layers.length);
  for (const { outer, extent, inner, first } of stripsOf(layout))
    for (let cell = first; cell < first + extent; cell++) counts[cell]! += outer * inner;
  return counts;
});

/** Parameters of each layer, as their cells have them [layers]. */
const layerCounts = onceFor((layout: ParameterLayout) => byLayer(cellCounts(layout), layout));

function sumsLaw(
  allocation: Float32Array | Float64Array,
  { sizes }: CellTally,
  row: StoredRow,
  layout: ParameterLayout,
): (readonly Deviation[])[] {
  const rounded = groupSums(allocation, layout);
  const exact = allocation instanceof Float64Array;
  const bounds = (size: ArrayLike<number>, count: ArrayLike<number>) => (k: number) =>
    exact ? 0 : (2 ** -24 + 2 ** -40) * size[k]! + count[k]! * 2 ** -149;
  const compare = (
    given: Numbers | null,
    sums: Float64Array,
    what: string,
    layers: readonly string[],
    bound: (k: number) => number,
  ) =>
    deviationsOf(
      given ?? [],
      (k) => sums[k]!,
      (k) => [`${what} and the sum of its stored allocations`, layers[k]!],
      bound,
    );
  return [
    compare(row('layer_sums'), rounded.layerSums, 'layer sum', layout.layers, bounds(byLayer(sizes, layout), layerCounts(layout))),
    compare(row('neuron_sums'), rounded.neuronSums, 'neuron sum', layersOfNeurons(layout), bounds(sizes, cellCounts(layout))),
  ]; // prettier-ignore
}

function signsLaw(found: CellTally, row: StoredRow, layout: ParameterLayout): (readonly Deviation[])[] {
  const atMost = (what: string, cells: Int32Array, counted: Numbers) => {
    const own = byLayer(cells, layout);
    return deviationsOf(own, (l) => Math.min(own[l]!, counted[l]!), (l) => [what, layout.layers[l]!]); // prettier-ignore
  };
  return [
    atMost('helping and the stored allocations below zero', found.negative, row('helping')!),
    atMost('hurting and the stored allocations above zero', found.positive, row('hurting')!),
  ];
}

/** Layer of each neuron. */
const layersOfNeurons = onceFor((layout: ParameterLayout) =>
  layout.layers.flatMap((layer, index) => new Array<string>(layout.neurons[index]!).fill(layer)),
);
