import type { Graph } from '../graph/types.js';

/** How stored examples become the network's input, in this order: cast, divide by `divisor`, subtract mean, divide by std. */
export interface InputTransform {
  readonly dtype: 'uint8' | 'float32' | 'int32' | 'int64';
  /** 255 for images; 1 for none. */
  readonly divisor: number;
  /** Per channel (axis 0 of an example), or empty for none. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

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
  /** Graph with input `x` [examples, …inputShape] and one output, the logits [examples, outputs]. */
  build(options: BuildOptions): Graph;
}
