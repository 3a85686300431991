import { neuronCount, neuronOffsets } from '../../ledger/layout.js';
import { type Cells, type FirstLayerPictures, firstLayerPictures } from '../rows/first-layer.js';
import type { RowHandler, ThemeContext } from '../themes/sweep.js';
import { concentrationOf } from './classes.js';

/** A first-layer neuron's incoming weights, each at the pixel that it reads; pictures row by row [height · width]. */
export interface SaliencyMap {
  readonly neuron: number;
  /** The class on which most of its help is spent, and that share of its help; null where the objective is not divided. */
  readonly part: string | null;
  readonly share: number | null;
  /** −Σ_t a of each weight, in the loss's unit: what helped is above zero. */
  readonly helped: Cells;
  /** The same for `part` alone; null where parts are not kept by parameter. */
  readonly helpedPart: Cells | null;
  /** θ_T, and θ_T − θ_0. */
  readonly weights: Cells;
  readonly change: Cells;
}

/** Saliency by help (paper Section S6.2, Figure S22), for the neurons that spend most on one class, else that helped most. */
export interface Saliency {
  readonly layer: string;
  readonly height: number;
  readonly width: number;
  readonly maps: readonly SaliencyMap[];
}

/** A neuron that gets a map. */
interface Chosen {
  readonly neuron: number;
  /** Index of its best class. */
  readonly part: number | null;
  readonly share: number | null;
}

const mapLimit = 4;

const total = (values: readonly number[] | Cells): number => values.reduce((sum, value) => sum + value, 0);

/** Keeps the first and the last θ, and sums the chosen neurons' best classes. */
export class SaliencyWatch {
  readonly #pictures: FirstLayerPictures | null;
  #first = new Float64Array(0);
  #last = new Float64Array(0);
  #chosen: readonly Chosen[] | null = null;
  readonly #byPart = new Map<number, Float64Array>();

  /** `sums` [parts, neurons] are complete after the first pass; null where the objective is not divided. */
  constructor(
    readonly context: ThemeContext,
    readonly sums: Float64Array | null,
  ) {
    this.#pictures = firstLayerPictures(context.view.layout, context.exampleShape);
  }

  readonly theta: RowHandler = (row, index) => {
    if (index === 0) this.#first = Float64Array.from(row);
    if (index === this.context.view.segments) this.#last = Float64Array.from(row);
  };

  /** Takes rows [parts · K] in the second pass, of which only the best classes are summed. */
  readonly partAllocation: RowHandler = (row) => {
    const { size } = this.context.view.layout;
    for (const { part } of this.#choose()) {
      if (part !== null && !this.#byPart.has(part)) this.#byPart.set(part, new Float64Array(size));
    }
    for (const [part, totals] of this.#byPart) {
      for (let k = 0; k < size; k++) totals[k]! += row[part * size + k]!;
    }
  };

  /** The most concentrated of the half of the neurons that helped most; where there are no classes, those that helped most. */
  #choose(): readonly Chosen[] {
    if (this.#chosen !== null || this.#pictures === null) return this.#chosen ?? [];
    const { neurons, cells } = this.#pictures;
    const all = Array.from({ length: neurons }, (_, neuron) => {
      const own = this.sums && concentrationOf(this.#partsOf(neuron));
      const helped = total(cells(this.context.totals!, neuron));
      return { neuron, helped, part: own?.largestClass ?? null, share: own?.largest ?? null };
    });
    const best = all.toSorted((a, b) => a.helped - b.helped).slice(0, Math.ceil(neurons / 2));
    this.#chosen = best.toSorted((a, b) => (b.share ?? 0) - (a.share ?? 0) || a.helped - b.helped).slice(0, mapLimit); // prettier-ignore
    return this.#chosen;
  }

  /** Class sums [parts] of a neuron of the first layer. */
  #partsOf(neuron: number): number[] {
    const { layout } = this.context.view;
    const first = neuronOffsets(layout)[layout.layers.indexOf(this.#pictures!.layer)]!;
    const width = neuronCount(layout);
    return this.context.parts.map((_, part) => this.sums![part * width + first + neuron]!);
  }

  finish(): Saliency | null {
    if (this.#pictures === null) return null;
    const { layer, height, width, cells } = this.#pictures;
    const { totals, parts } = this.context;
    const change = this.#last.map((value, k) => value - this.#first[k]!);
    const help = (sums: Float64Array, neuron: number): Cells => cells(sums, neuron).map((a) => -a);
    const maps = this.#choose().map(({ neuron, part, share }) => {
      const own = part === null ? undefined : this.#byPart.get(part);
      return {
        neuron,
        part: part === null ? null : parts[part]!,
        share,
        helped: help(totals!, neuron),
        helpedPart: own === undefined ? null : help(own, neuron),
        weights: cells(this.#last, neuron),
        change: cells(change, neuron),
      };
    });
    return { layer, height, width, maps };
  }
}
