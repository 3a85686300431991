import type { Partition } from '../../objective/plan.js';

/** Partitions whose parts are made of the same cells. */
export interface Layer {
  readonly partitions: readonly Partition[];
  /** Cell of each example, or of each of its labels; −1: of none. */
  readonly cellOf: Int32Array;
  /** Number of its first cell. */
  readonly first: number;
  /** Part of each of its cells by each partition [cells][partitions]. */
  readonly cells: readonly (readonly number[])[];
}

/**
 * The layers of cells that partitions of `count` examples make. Those of whole examples share one, whose cells are the combinations of their parts; each that divides
 * the `rows` labels of an example has its own, for every combination that occurs in a chunk costs an evaluation of it.
 */
export function layersOf(count: number, partitions: readonly Partition[], rows: number): Layer[] {
  const isByLabel = (own: Partition): boolean => (own.rows ?? 1) > 1;
  const finer = partitions.filter(isByLabel);
  const whole = partitions.filter((own) => !isByLabel(own));
  const repeats = finer.length > 0 ? rows : 1;
  const layers: Layer[] = [];
  for (const own of [...(whole.length > 0 ? [whole] : []), ...finer.map((one) => [one])]) {
    const last = layers.at(-1);
    const first = last ? last.first + last.cells.length : 0;
    layers.push(layerOf(own, { length: count * repeats, first, repeats }));
  }
  return layers;
}

/** Cells: one for each combination of parts that occurs, in their order. */
function layerOf(
  partitions: readonly Partition[],
  { length, first, repeats }: { readonly length: number; readonly first: number; readonly repeats: number },
): Layer {
  const partAt = ({ partOf, rows = 1 }: Partition, row: number): number =>
    partOf[rows > 1 ? row : Math.floor(row / repeats)]!;
  const keyOf = (row: number): number => {
    const parts = partitions.map((own) => partAt(own, row));
    return parts.includes(-1)
      ? -1
      : parts.reduce((key, part, k) => key * partitions[k]!.names.length + part, 0);
  };
  const keys = Float64Array.from({ length }, (_, row) => keyOf(row));
  const distinct = [...new Set(keys)].filter((key) => key >= 0).sort((a, b) => a - b);
  const index = new Map(distinct.map((key, cell) => [key, first + cell]));
  return {
    partitions,
    first,
    cellOf: Int32Array.from(keys, (key) => index.get(key) ?? -1),
    cells: distinct.map((key) => partsOfKey(key, partitions)),
  };
}

/** The parts that a combination is of: digits of its key. */
function partsOfKey(key: number, partitions: readonly Partition[]): number[] {
  let rest = key;
  return partitions
    .toReversed()
    .map(({ names }) => {
      const part = rest % names.length;
      rest = Math.floor(rest / names.length);
      return part;
    })
    .reverse();
}
