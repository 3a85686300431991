import { sum } from '../num/sums.js';
import { neuronCount, neuronOffsets, type Strip, stripsOf } from './layout.js';
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
  const cells = cellSums(values, layout);
  const neuronSums = cells.subarray(0, neuronCount(layout));
  const rest = cells.subarray(neuronSums.length);
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

function cellSums(values: Float64Array | Float32Array, layout: ParameterLayout): Float64Array {
  const totals = new Float64Array(neuronCount(layout) + layout.layers.length);
  const lost = new Float64Array(totals.length);
  for (const strip of stripsOf(layout)) addStrip(values, strip, totals, lost);
  return totals.map((total, cell) => total + lost[cell]!);
}

/** Neumaier's compensated sums, a cell's state kept in `totals` and `lost` between the visits to it. */
function addStrip(
  values: Float64Array | Float32Array,
  { tensor, outer, neurons, inner, cell }: Strip,
  totals: Float64Array,
  lost: Float64Array,
): void {
  let k = tensor.offset;
  for (let visit = 0; visit < outer * neurons; visit++) {
    const at = cell + (visit % neurons);
    let total = totals[at]!;
    let rounding = lost[at]!;
    for (const end = k + inner; k < end; k++) {
      const value = values[k]!;
      const next = total + value;
      rounding += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
      total = next;
    }
    totals[at] = total;
    lost[at] = rounding;
  }
}
