import type { Numbers, ParameterLayout } from '../../ledger/types.js';

/** L2 norms of each layer's motion, from rows of θ as they come. */
export class MotionNorms {
  readonly #last: Float64Array;
  readonly #layerOf: readonly number[];
  #rows = 0;

  constructor(readonly layout: ParameterLayout) {
    this.#last = new Float64Array(layout.size);
    this.#layerOf = layout.tensors.map(({ layer }) => layout.layers.indexOf(layer));
  }

  /** Norms [layers] of the segment that ends at this row θ [K]; null at the first row. */
  next(theta: Numbers): Float64Array | null {
    const last = this.#last;
    const squares = new Float64Array(this.layout.layers.length);
    this.layout.tensors.forEach(({ offset, size }, i) => {
      let total = 0;
      for (let k = offset; k < offset + size; k++) {
        const moved = theta[k]! - last[k]!;
        total += moved * moved;
        last[k] = theta[k]!;
      }
      squares[this.#layerOf[i]!]! += total;
    });
    return this.#rows++ === 0 ? null : squares.map(Math.sqrt);
  }
}
