import { addTerms, termsOf } from '../../ledger/entities/terms.js';
import { otherCell } from '../../ledger/entities/own.js';
import type { Numbers } from '../../ledger/types.js';
import type { LedgerView } from '../../ledger/view.js';

/** What parts of an objective did in layers, or in attention heads, over the run. */
export interface PartTimes {
  readonly entity: 'layer' | 'head';
  /** Names of layers or heads. */
  readonly cells: readonly string[];
  /** Training iteration at which the first window begins. */
  readonly from: number;
  /** Training iteration at which each window ends [W]. */
  readonly until: readonly number[];
  /** Σ of allocations [parts][cells][W], in the loss's unit; negative helped. */
  readonly sums: readonly (readonly (readonly number[])[])[];
}

/** Windows at most: so many are told apart in a figure. */
const mostWindows = 16;

/** Sums by part, cell and window, while rows go by. */
class Windows {
  readonly sums: number[][][];
  readonly #count: number;

  constructor(
    readonly view: LedgerView,
    readonly cells: readonly string[],
    readonly parts: number,
  ) {
    this.#count = Math.min(mostWindows, view.segments);
    this.sums = Array.from({ length: parts }, () => cells.map(() => new Array<number>(this.#count).fill(0)));
  }

  add(segment: number, part: number, cell: number, value: number): void {
    this.sums[part]![cell]![Math.floor((segment * this.#count) / this.view.segments)]! += value;
  }

  result(entity: PartTimes['entity']): PartTimes {
    const { segments, iteration } = this.view;
    const until = Array.from(
      { length: this.#count },
      (_, w) => iteration[Math.ceil(((w + 1) * segments) / this.#count)]!,
    );
    return { entity, cells: this.cells, from: iteration[0]!, until, sums: this.sums };
  }
}

/** Which parts each layer worked for, and when; null where the parts' sums are not kept. */
export async function layerTimes(
  view: LedgerView,
  objective: string,
  parts: number,
): Promise<PartTimes | null> {
  const rows = view.rows('part_layer_sums', objective);
  if (rows === null || view.segments === 0) return null;
  const windows = new Windows(view, view.layout.layers, parts);
  const layers = view.layout.layers.length;
  let segment = 0;
  for await (const row of rows) {
    for (let k = 0; k < parts * layers; k++)
      windows.add(segment, Math.floor(k / layers), k % layers, row[k]!);
    segment++;
  }
  return windows.result('layer');
}

/** Which parts each attention head worked for, and when; null where the network has none, or the parts' sums are not kept. */
export async function headTimes(
  view: LedgerView,
  objective: string,
  parts: number,
): Promise<PartTimes | null> {
  const grouping = view.layout.groupings.find(({ name }) => name === 'head');
  const terms = grouping === undefined ? null : termsOf(view.layout, grouping);
  const [tensors, neurons] = [
    view.rows('part_tensor_sums', objective),
    view.rows('part_neuron_sums', objective),
  ];
  if (terms === null || tensors === null || neurons === null || view.segments === 0) return null;
  // What belongs to no head is no head.
  const heads = grouping!.cells.filter((cell) => cell !== otherCell);
  const places = grouping!.cells.map((cell) => heads.indexOf(cell));
  const own = terms.filter(({ cell }) => places[cell]! >= 0);
  const windows = new Windows(view, heads, parts);
  const byNeuron = neurons[Symbol.asyncIterator]();
  let segment = 0;
  for await (const tensor of tensors) {
    const row = { tensor, neuron: (await byNeuron.next()).value as Numbers };
    addTerms(own, row, parts, (part, cell, value) => { windows.add(segment, part, places[cell]!, value); }); // prettier-ignore
    segment++;
  }
  return windows.result('head');
}
