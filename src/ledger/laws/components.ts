import { sum } from '../../num/sums.js';
import type { Numbers } from '../types.js';
import { columnsBy, type Deviation, deviations, holdsAll, type Law, reordering, sizeOfAll } from './law.js';

/** Columns that hold by the cells of a grouping what the components add up to. */
const wholeOf: Readonly<Record<string, string>> = { layer: 'layer_sums', neuron: 'neuron_sums' };

/** The components' sums add up to the whole's, cell by cell, and each component's to the same by every grouping of all parameters. */
export const componentSumsLaw: Law = (row, { groupings }) => {
  const byLayer = row('component_sums/layer');
  if (byLayer === null) return [];
  const layers = row('layer_sums')!.length;
  const size = groupings.reduce((most, own) => Math.max(most, sizeOfAll(row(columnsBy(own).components) ?? [])), 0); // prettier-ignore
  const bound = reordering * size;
  return groupings.flatMap((grouping) => {
    const { name, cells } = grouping;
    const parts = row(columnsBy(grouping).components);
    const whole = row(wholeOf[name] ?? columnsBy(grouping).sums);
    if (parts === null || whole === null) return [];
    const found = addUp(`sums by ${name}`, parts, whole, () => bound);
    if (!holdsAll(grouping)) return found;
    return [...found, ...sameTotals(name, rowsOf(parts, cells.length), rowsOf(byLayer, layers), bound)];
  });
};

/** The components' stored allocations add up to the stored whole, and over all parameters to the components' sums, within their rounding. */
export const componentAllocationLaw: Law = (row, { size, layers }) => {
  const parts = row('component_allocation');
  if (parts === null) return [];
  const rounding = parts instanceof Float32Array ? 2 ** -24 + 2 ** -40 : reordering;
  const own = rowsOf(parts, size);
  const smallest = (own.length + 1) * 2 ** -149;
  const bounds = (k: number, whole: number) =>
    rounding * (Math.abs(whole) + own.reduce((total, part) => total + Math.abs(part[k]!), 0)) + smallest;
  const whole = row('allocation');
  const sums = rowsOf(row('component_sums/layer')!, layers.length);
  return [
    ...(whole === null ? [] : addUp('allocation', parts, whole, bounds)),
    ...own.flatMap((part, c) => {
      const bound = 2 * rounding * sizeOfAll(part) + size * 2 ** -149;
      return deviations('component sum and the sum of its stored allocations', null, sum(sums[c]!), sum(part), bound); // prettier-ignore
    }),
  ];
};

/** Compares sums over components of [components, width] numbers with the whole [width]. */
function addUp(
  what: string,
  parts: Numbers,
  whole: Numbers,
  bound: (k: number, whole: number) => number,
): Deviation[] {
  const own = rowsOf(parts, whole.length);
  return Array.from(whole, (value, k) => {
    const added = sum(own.map((part) => part[k]!));
    return deviations(`${what} and the sum of its components`, null, value, added, bound(k, value));
  }).flat();
}

function sameTotals(
  name: string,
  parts: readonly Float64Array[],
  byLayer: readonly Float64Array[],
  bound: number,
): Deviation[] {
  return parts.flatMap((part, c) =>
    deviations(`component ${c} by ${name} and by layer`, null, sum(part), sum(byLayer[c]!), bound),
  );
}

/** The rows of [rows, width] numbers. */
function rowsOf(numbers: Numbers, width: number): Float64Array[] {
  const rows = width === 0 ? 0 : numbers.length / width;
  return Array.from({ length: rows }, (_, r) => numbers.subarray(r * width, (r + 1) * width) as Float64Array);
}
