import type { InputTransform } from '../data/types.js';
import type { Graph } from '../graph/types.js';

export interface BuildOptions {
  /** Examples of one chunk or mini-batch: the static extent of axis 0. */
  readonly examples: number;
  /** True for the training graph: dropout masks become inputs. */
  readonly training: boolean;
  readonly transform: InputTransform;
}

/** One of several inputs of a network, but the first. */
export interface ModelInput {
  readonly name: string;
  /** Shape of one example. */
  readonly shape: readonly number[];
  /** Whether it is whole numbers, which are never scaled. */
  readonly readsWholeNumbers: boolean;
}

/** A network, built anew for each chunk size. */
export interface Model {
  readonly name: string;
  /** Shape of one example, such as [1, 28, 28]. */
  readonly inputShape: readonly number[];
  /** Classes, or how many numbers the output has for one example. */
  readonly outputs: number;
  /** Extents of the output for one example; default [outputs]. */
  readonly outputShape?: readonly number[];
  /** Whether inputs are whole numbers, such as tokens, which are never scaled; default false. */
  readonly readsWholeNumbers?: boolean;
  /** What the network reads beside its first input; default nothing. */
  readonly further?: readonly ModelInput[];
  /** Whether the output is a loss of its own (see ReadOptions.computesLoss); default false. */
  readonly computesLoss?: boolean;
  /** Share of zeros in each mask input of the training graph, by input name (`dropout/…`); default none. */
  readonly dropout?: Readonly<Record<string, number>>;
  /**
   * Graph with input `x` [examples, …inputShape], further ones by `feedNameOf` their names, and one output, the logits [examples,
   * …outputShape]; of a network that computes its loss, this and where it has one the weight that it counts with.
   */
  build(options: BuildOptions): Graph;
}
