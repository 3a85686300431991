import type { StaticTensor } from '../static-tensor.js';
import type { NodeContext } from './context.js';

/** Evaluates an operator on numbers; null where it cannot, so that it becomes a node of the graph. */
export type Fold = (context: NodeContext, inputs: readonly StaticTensor[]) => StaticTensor | null;

export type FoldTable = Readonly<Record<string, Fold>>;

/** The operator with `count` inputs; with fewer it is left to its translation, which says what is missing. */
export function withInputs(count: number, fold: Fold): Fold {
  return (context, inputs) => (inputs.length < count ? null : fold(context, inputs));
}
