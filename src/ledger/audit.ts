import { sum } from '../num/sums.js';
import { neuronOffsets, stripsOf } from './layout.js';
import { groupSums } from './sums.js';
import type { LedgerRow, ParameterLayout } from './types.js';

/** A row as it is kept; what was not kept is null. */
export interface KeptRow extends Omit<LedgerRow, 'allocation' | 'neuronSums'> {
  readonly allocation: Float32Array | Float64Array | null;
  readonly neuronSums: Float64Array | null;
  /** L(θ_{t+1}) − L(θ_t), nats. */
  readonly lossChange: number;
}

/** A law that a row breaks. */
export interface Deviation {
  /** What disagrees, such as `total and the sum of the layer sums`. */
  readonly what: string;
  /** Layer, or null where the law is about the whole row. */
  readonly layer: string | null;
  readonly deviation: number;
  /** The largest deviation that rounding explains. */
  readonly bound: number;
}

/**
 * Checks that a row balances. Laws without a bound of rounding hold to the bit, because both sides are the same reduction:
 * total = Σ layer sums; layer sum = Σ neuron sums, where all of a layer's tensors have neurons; residual = total − loss change;
 * helping + hurting + zero = the layer's parameters. Stored allocations agree with the sums to the bit where they are float64, else
 * within their rounding to float32: (2^-24 + 2^-40) Σ|a| + n 2^-149; no more of them are negative or positive than were counted
 * (rounding can only make zeros). No deviation: the row balances.
 */
export function audit(row: KeptRow, layout: ParameterLayout): Deviation[] {
  return [
    ...auditTotals(row),
    ...auditNeurons(row, layout),
    ...auditCounts(row, layout),
    ...auditAllocation(row, layout),
    ...auditSigns(row, layout),
  ];
}

function deviations(
  what: string,
  layer: string | null,
  given: number,
  expected: number,
  bound = 0,
): Deviation[] {
  const deviation = Math.abs(given - expected);
  return deviation <= bound ? [] : [{ what, layer, deviation, bound }];
}

function auditTotals({ total, layerSums, residual, lossChange }: KeptRow): Deviation[] {
  return [
    ...deviations('total and the sum of the layer sums', null, total, sum(layerSums)),
    ...deviations('residual and total - loss change', null, residual, total - lossChange),
  ];
}

function auditNeurons({ neuronSums, layerSums }: KeptRow, layout: ParameterLayout): Deviation[] {
  if (neuronSums === null) return [];
  const offsets = neuronOffsets(layout);
  return layout.layers.flatMap((layer, index) => {
    const whole = layout.tensors.every((tensor) => tensor.layer !== layer || tensor.neuronAxis !== null);
    if (!whole) return [];
    const own = neuronSums.subarray(offsets[index], offsets[index]! + layout.neurons[index]!);
    return deviations('layer sum and the sum of its neuron sums', layer, layerSums[index]!, sum(own));
  });
}

function auditCounts({ helping, hurting, zero }: KeptRow, layout: ParameterLayout): Deviation[] {
  const sizes = new Int32Array(layout.layers.length);
  for (const { tensor, layer } of stripsOf(layout)) sizes[layer]! += tensor.size;
  return layout.layers.flatMap((layer, index) => {
    const counted = helping[index]! + hurting[index]! + zero[index]!;
    return deviations('helping + hurting + zero and the number of parameters', layer, counted, sizes[index]!);
  });
}

function auditAllocation(row: KeptRow, layout: ParameterLayout): Deviation[] {
  const { allocation, neuronSums } = row;
  if (allocation === null) return [];
  const rounded = groupSums(allocation, layout);
  const sizes = groupSums(allocation.map(Math.abs), layout);
  const counts = groupSums(new Float32Array(layout.size).fill(1), layout);
  const exact = allocation instanceof Float64Array;
  const bound = (size: number, count: number) =>
    exact ? 0 : (2 ** -24 + 2 ** -40) * size + count * 2 ** -149;
  const found = layout.layers.flatMap((layer, index) =>
    deviations(
      'layer sum and the sum of its stored allocations',
      layer,
      row.layerSums[index]!,
      rounded.layerSums[index]!,
      bound(sizes.layerSums[index]!, counts.layerSums[index]!),
    ),
  );
  if (neuronSums === null) return found;
  return found.concat(
    layersOfNeurons(layout).flatMap((layer, n) =>
      deviations(
        'neuron sum and the sum of its stored allocations',
        layer,
        neuronSums[n]!,
        rounded.neuronSums[n]!,
        bound(sizes.neuronSums[n]!, counts.neuronSums[n]!),
      ),
    ),
  );
}

function auditSigns({ allocation, helping, hurting }: KeptRow, layout: ParameterLayout): Deviation[] {
  if (allocation === null) return [];
  const negative = new Int32Array(layout.layers.length);
  const positive = new Int32Array(layout.layers.length);
  for (const { tensor, layer } of stripsOf(layout)) {
    for (let k = tensor.offset; k < tensor.offset + tensor.size; k++) {
      if (allocation[k]! < 0) negative[layer]!++;
      else if (allocation[k]! > 0) positive[layer]!++;
    }
  }
  return layout.layers.flatMap((layer, l) => [
    ...deviations('helping and the stored allocations below zero', layer, negative[l]!, Math.min(negative[l]!, helping[l]!)),
    ...deviations('hurting and the stored allocations above zero', layer, positive[l]!, Math.min(positive[l]!, hurting[l]!)),
  ]); // prettier-ignore
}

/** Layer of each neuron. */
function layersOfNeurons(layout: ParameterLayout): string[] {
  return layout.layers.flatMap((layer, index) => new Array<string>(layout.neurons[index]!).fill(layer));
}
