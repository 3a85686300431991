/** A named mean loss of one fixed data set, whose allocations are kept apart from those of others. */
export interface Objective {
  /** Such as `train`, `validation`, or the user's own. */
  readonly name: string;
  /** Names of the subsets of its examples whose losses are kept apart and add up to its own; one: the objective is not divided. */
  readonly parts: readonly string[];
}

/** One parameter tensor's place in the parameter vector. */
export interface TensorSpan {
  readonly name: string;
  readonly shape: readonly number[];
  readonly layer: string;
  /** Axis that counts the layer's output neurons or channels; null where there is none. */
  readonly neuronAxis: number | null;
  /** First index in θ. */
  readonly offset: number;
  readonly size: number;
}

/** How θ is partitioned for the sums that are always kept. */
export interface ParameterLayout {
  /** K. */
  readonly size: number;
  readonly tensors: readonly TensorSpan[];
  /** Layer names in order of first appearance. */
  readonly layers: readonly string[];
  /** Output neurons (or channels) per layer; neurons are numbered layer by layer. A layer without neurons counts 0. */
  readonly neurons: readonly number[];
}

/** Numbers as they are stored. */
export type Numbers = Float32Array | Float64Array | Int32Array;
