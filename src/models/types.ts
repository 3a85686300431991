import type { InputTransform } from '../data/types.js';
import type { Graph } from '../graph/types.js';

export interface BuildOptions {
  /** Examples of one chunk or mini-batch: the static extent of axis 0. */
  readonly examples: number;
  /** True for the training graph: dropout masks become inputs. */
  readonly training: boolean;
  readonly transform: InputTransform;
}

/** A network, built anew for each chunk size. */
export interface Model {
  readonly name: string;
  /** Shape of one example, such as [1, 28, 28]. */
  readonly inputShape: readonly number[];
  /** Classes, or width of the output. */
  readonly outputs: number;
  /** Share of zeros in each mask input of the training graph, by input name (`dropout/…`); default none. */
  readonly dropout?: Readonly<Record<string, number>>;
  /** Graph with input `x` [examples, …inputShape] and one output, the logits [examples, outputs]. */
  build(options: BuildOptions): Graph;
}
