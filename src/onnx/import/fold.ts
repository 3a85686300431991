import { sizeOf } from '../../graph/types.js';
import type { StaticTensor } from './static-tensor.js';
import type { NodeContext } from './context.js';
import { isStatic } from './static-tensor.js';
import { elementwiseFolds } from './fold-elementwise.js';
import { shapeFolds } from './fold-shape.js';
import type { ConstantFold } from './fold-elementwise.js';

const folds: ReadonlyMap<string, ConstantFold> = new Map(
  Object.entries({ ...elementwiseFolds, ...shapeFolds }),
);

/** Operators that can be evaluated while a model is read, where all their inputs are known. */
export const foldable: ReadonlySet<string> = new Set(folds.keys());

/** Shapes and indices are small. Masks and tables may be left to the engines as constants. */
const alwaysFolded = 2 ** 12;
const mostFolded = 2 ** 20;
/** Once this many numbers have been computed, larger tensors are left to the engines. */
const enoughComputed = 2 ** 22;

function isWorthFolding({ state }: NodeContext, inputs: readonly StaticTensor[]): boolean {
  const size = Math.max(...inputs.map((input) => sizeOf(input.shape)));
  return size <= (state.computed < enoughComputed ? mostFolded : alwaysFolded);
}

/** The result of a node whose inputs are all known; null where it is none, or has to be computed by an engine. */
export function folded(context: NodeContext): StaticTensor | null {
  const fold = folds.get(context.node.opType);
  const inputs = context.inputs.filter((input) => input !== null);
  if (fold === undefined || inputs.length === 0 || !inputs.every(isStatic)) return null;
  if (!isWorthFolding(context, inputs)) return null;
  context.spend(sizeOf(inputs[0]!.shape));
  const result = fold(context, inputs);
  if (result !== null) context.spend(sizeOf(result.shape));
  return result;
}
