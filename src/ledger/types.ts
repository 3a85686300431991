import type { StatisticsKind } from '../graph/statistics.js';
import type { Strip } from '../num/vector-loops.js';

/** Which parts of an objective are the blocks of a sample. */
export interface SampleBlocks {
  /** Examples that the sample was drawn from. */
  readonly from: number;
  /** Parts that are blocks, by their index, and the examples of each. */
  readonly members: readonly number[];
  readonly examples: readonly number[];
}

/** A named mean loss of one fixed data set, whose allocations are kept apart from those of others. */
export interface Objective {
  /** Such as `train`, `validation`, or the user's own. */
  readonly name: string;
  /** Names of the subsets of its examples whose losses are kept apart and add up to its own; one: the objective is not divided. */
  readonly parts: readonly string[];
  /** What each is a part by, such as `class` or `block`; null: by nothing. Left out: not known. */
  readonly by?: readonly (string | null)[];
  /** Left out or null: it was measured on all its examples. */
  readonly sample?: SampleBlocks | null;
  /** Whose mean and variance batch normalisation uses; left out: those of each chunk. */
  readonly statistics?: StatisticsKind;
}

/** What a parameter is for, as the network uses it. */
export const parameterKinds = ['kernel', 'bias', 'normalisation', 'scale', 'statistics', 'other'] as const;
export type ParameterKind = (typeof parameterKinds)[number];

/** One parameter tensor's place in the parameter vector. */
export interface TensorSpan {
  readonly name: string;
  readonly shape: readonly number[];
  readonly layer: string;
  /** Axis that counts the layer's output neurons or channels; null where there is none. */
  readonly neuronAxis: number | null;
  /** Axis that counts the layer's inputs, or input channels; null where there is none. */
  readonly inputAxis: number | null;
  readonly kind: ParameterKind;
  /** First index in θ. */
  readonly offset: number;
  readonly size: number;
}

/** Which axis of every tensor its atoms are counted along. */
export type AtomAxis = 'neuronAxis' | 'inputAxis';

/**
 * A tensor as [outer, extent, inner] in row-major order, seen along one of its axes: each index of that axis is an atom, the finest cell
 * that sums are taken over. A tensor without the axis is one atom.
 */
export type AtomStrip = Strip;

/** A named map from parameters to cells, by way of atoms: what sums and counts are taken over. */
export interface Grouping {
  /** Such as `layer`, or the user's own. */
  readonly name: string;
  /** Which atoms it is made of. */
  readonly axis: AtomAxis;
  /** Names of the cells. */
  readonly cells: readonly string[];
  /** Cell of each atom [atoms]; −1: of none. */
  readonly cellOf: Int32Array;
}

/** The user's own grouping: cells by patterns over tensor names. */
export interface OwnGrouping {
  readonly name: string;
  /**
   * Patterns have `*` and `?`, and may end in a range of output neurons (`[0:16]`) or inputs (`[in 0:16]`). A parameter belongs to the first
   * that matches it, and to the cell `other` where none does.
   */
  readonly cells: readonly { readonly name: string; readonly patterns: readonly string[] }[];
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
  /** The atoms along each axis, in θ's order. */
  readonly atoms: Readonly<Record<AtomAxis, readonly AtomStrip[]>>;
  /** Those that every network has, then the user's own. */
  readonly groupings: readonly Grouping[];
}

/** Numbers as they are stored. */
export type Numbers = Float32Array | Float64Array | Int32Array | Uint8Array;
