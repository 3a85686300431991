import type { Grouping, Numbers, ParameterLayout } from '../types.js';

/** A stored sum of a part, of a tensor or of a neuron, and the cell that it belongs to. */
export interface Term {
  readonly of: 'tensor' | 'neuron';
  readonly index: number;
  readonly cell: number;
}

/** The stored sums that make up the cells of a grouping, each whole in one; null where cells are finer than those, or cut across. */
export function termsOf(
  { tensors, layers, neurons, atoms }: ParameterLayout,
  { axis, cellOf }: Grouping,
): Term[] | null {
  const cellsOf = atoms[axis].map(({ first, extent }) => cellOf.subarray(first, first + extent));
  const isWhole = (t: number) => cellsOf[t]!.every((cell) => cell === cellsOf[t]![0]);
  const whole = (t: number): Term => ({ of: 'tensor', index: t, cell: cellsOf[t]![0]! });
  const terms: Term[] = [];
  let offset = 0;
  for (const [l, layer] of layers.entries()) {
    const own = [...tensors.keys()].filter((t) => tensors[t]!.layer === layer);
    if (own.every(isWhole)) terms.push(...own.map(whole));
    else {
      const divided = own.filter((t) => tensors[t]!.neuronAxis !== null);
      const cells = cellsOf[divided[0] ?? 0]!;
      const isAlike = (t: number) => cells.every((cell, neuron) => cell === cellsOf[t]![neuron]);
      if (axis !== 'neuronAxis' || !divided.every(isAlike)) return null;
      cells.forEach((cell, neuron) => terms.push({ of: 'neuron', index: offset + neuron, cell }));
      terms.push(...own.filter((t) => !divided.includes(t)).map(whole));
    }
    offset += neurons[l]!;
  }
  return terms.filter(({ cell }) => cell >= 0);
}

/** Gives each part's sums of a segment, by tensor [parts, tensors] and by neuron [parts, neurons], to the cells that they belong to. */
export function addTerms(
  terms: readonly Term[],
  row: Readonly<Record<Term['of'], Numbers>>,
  parts: number,
  add: (part: number, cell: number, value: number) => void,
): void {
  for (let part = 0; part < parts; part++) {
    for (const { of, index, cell } of terms)
      add(part, cell, row[of][part * (row[of].length / parts) + index]!);
  }
}
