/**
 * Numbers of the examples, in lanes: one vector holds the same element of as many examples as the target has lanes. A
 * group of examples is `elements` vectors in row-major order; groups lie `stride` vectors apart.
 */
export interface Tensor {
  readonly kind: 'tensor';
  readonly id: number;
  readonly elements: number;
  /** Odd, so that equal elements of successive groups do not meet in the same few cache sets. */
  readonly stride: number;
  /** What the caller feeds, element by element at most made into something else; or anything else. */
  readonly origin: 'fed' | 'computed';
}

/** float32 numbers that belong to no example: packed weights, biases, coefficients of a normalisation. */
export interface Table {
  readonly kind: 'table';
  readonly id: number;
  readonly length: number;
}

/** float64 sums over the examples of a chunk. Cleared at the start of each run. */
export interface Sums {
  readonly kind: 'sums';
  readonly id: number;
  readonly length: number;
}

/** Vectors that a kernel uses while it runs and nobody reads afterwards. */
export interface Scratch {
  readonly kind: 'scratch';
  readonly vectors: number;
}

/** An array fed by the caller, in graph order, row-major. */
export interface Feed {
  readonly kind: 'feed';
  readonly index: number;
}

/** Valid lanes: one vector per group, 1 where the lane holds an example and 0 where it repeats the last one. */
export interface Mask {
  readonly kind: 'mask';
}

/**
 * θ [K], the constants of the graph, or what is computed from them when θ is set, one after the other, in float64, from an offset on. Only the
 * last outlive the setting of θ.
 */
export interface Numbers {
  readonly kind: 'numbers';
  readonly source: 'theta' | 'constants' | 'derived';
  readonly offset: number;
}

/** The caller's gradient [K], in float64, to which a run adds, from an offset on. */
export interface Gradient {
  readonly kind: 'gradient';
  readonly offset: number;
}

export type StoredObject = Tensor | Table | Sums | Scratch | Feed | Mask | Numbers | Gradient;

/** Makes objects with identities of their own. */
export class Objects {
  #next = 0;

  tensor(elements: number, origin: Tensor['origin'] = 'computed'): Tensor {
    return { kind: 'tensor', id: this.#next++, elements, stride: elements | 1, origin };
  }

  table(length: number): Table {
    return { kind: 'table', id: this.#next++, length };
  }

  sums(length: number): Sums {
    return { kind: 'sums', id: this.#next++, length };
  }
}
