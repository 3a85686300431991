import { sum } from '../../num/sums.js';
import type { Numbers } from '../types.js';
import { type Deviation, deviations, type Law, reordering, type RowDivision, sizeOfAll } from './law.js';

/** The parts by each thing: which of the parts add up to the whole. */
function partitions({ by }: RowDivision): { name: string; members: number[] }[] {
  const names = [...new Set(by.filter((name) => name !== null))];
  return names.map((name) => ({
    name,
    members: [...by.keys()].filter((part) => by[part] === name || by[part] === null),
  }));
}

/** Compares sums over parts of [parts, width] numbers with the whole [width], by each thing they are parts by. */
function compareParts(
  what: string,
  parts: Numbers,
  whole: Numbers,
  division: RowDivision,
  bound: (k: number, members: readonly number[]) => number,
): Deviation[] {
  const width = whole.length;
  return partitions(division).flatMap(({ name, members }) =>
    Array.from(whole, (value, k) => {
      const own = members.map((part) => parts[part * width + k]!);
      return deviations(`${what} and the sum of its parts by ${name}`, null, value, sum(own), bound(k, members)); // prettier-ignore
    }).flat(),
  );
}

/** The parts' losses add up to the loss, within the rounding of their sums. */
export const partLossLaw: Law = (row, _, division) => {
  const parts = row('part_loss') as Float64Array | null;
  if (parts === null) return [];
  const half = parts.length / 2;
  return [...row('loss')!].flatMap((loss, end) => {
    const own = parts.subarray(end * half, (end + 1) * half);
    const bound = (2 ** -44 + division.tolerance) * sizeOfAll(own);
    return compareParts('loss', own, Float64Array.of(loss), division, () => bound);
  });
};

/** The parts' sums by layer, neuron or tensor add up to the whole's, within the rounding of the gradients' sums. */
export const partSumsLaw =
  (column: string, whole: string): Law =>
  (row, _, division) => {
    const parts = row(column);
    const sums = row(whole);
    if (parts === null || sums === null) return [];
    const scale = sizeOfAll(parts) + sizeOfAll(row('part_neuron_sums') ?? []);
    const bound = (reordering + division.tolerance) * scale;
    return compareParts(whole, parts, sums, division, () => bound);
  };

/** The parts' stored allocations add up to the stored whole, and over each layer to the parts' sums, within their rounding. */
export const partAllocationLaw: Law = (row, layout, division) => {
  const parts = row('part_allocation');
  const whole = row('allocation');
  if (parts === null) return [];
  const { size, layers, tensors } = layout;
  const rounding = parts instanceof Float32Array ? 2 ** -24 + 2 ** -40 : reordering;
  const scale = (division.tolerance * sizeOfAll(parts)) / division.by.length;
  const addUp =
    whole === null
      ? []
      : compareParts('allocation', parts, whole, division, (k, members) => {
          const own = members.reduce((total, part) => total + Math.abs(parts[part * size + k]!), 0);
          return rounding * (own + Math.abs(whole[k]!)) + (members.length + 1) * 2 ** -149 + scale;
        });
  const sums = row('part_layer_sums')!;
  return [
    ...addUp,
    ...division.by.flatMap((_by, part) =>
      layers.flatMap((layer, l) => {
        const own = tensors.filter((tensor) => tensor.layer === layer).flatMap(({ offset, size: length }) => [...parts.subarray(part * size + offset, part * size + offset + length)]); // prettier-ignore
        const bound = rounding * sizeOfAll(Float64Array.from(own)) * 2 + own.length * 2 ** -149;
        return deviations('part layer sum and the sum of its stored allocations', layer, sums[part * layers.length + l]!, sum(own), bound); // prettier-ignore
      }),
    ),
  ];
};
