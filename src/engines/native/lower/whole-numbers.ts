import type { DType, Graph, Node, Value } from '../../../graph/types.js';
import { sizeOf } from '../../../graph/types.js';
import { checkWholeNumbers as checkFeed } from '../kernels/lookup.js';
import type { Expression } from '../plan/expression.js';
import { apply, number } from '../plan/expression.js';
import type { Sums } from '../plan/objects.js';
import type { Lowering } from './lowering.js';
import { unsupported } from './unsupported.js';

/*
 * Lanes hold whole numbers as float32, which is exact up to 2^24. Fed ones are checked, and what could pass the bound, or wraps
 * around, is refused.
 */

const isWhole = (dtype: DType): boolean => dtype === 'int32' || dtype === 'int64' || dtype === 'uint8';

/** Quotients of whole numbers are cut off, as in ONNX; of those that lanes hold, this is exact. */
export function quotient({ outputs }: Node, [a, b]: readonly Expression[]): Expression {
  const divided = apply('divide', a!, b!);
  return isWhole(outputs[0]!.dtype) ? apply('truncate', divided) : divided;
}

/** Operators whose results are no larger than their operands, or twice as large. */
const small: ReadonlySet<string> = new Set([
  'Add',
  'Sub',
  'Neg',
  'Abs',
  'Sign',
  'Max',
  'Min',
  'Where',
  'Identity',
  'Div',
  'Mod',
]);

/** Throws EngineError where a node's whole numbers could not be held exactly. */
export function checkWholeNumbers(node: Node, lowering: Lowering): void {
  const { dtype } = node.outputs[0]!;
  if (!isWhole(dtype) || node.op === 'Cast' || (small.has(node.op) && dtype !== 'uint8')) return;
  const isScaled = node.op === 'Mul' && node.inputs.some((value) => lowering.held(value!).kind === 'uniform');
  if (!isScaled || dtype === 'uint8') throw unsupported(node, 'whole numbers that stay below 2^24');
}

interface CastRule {
  readonly rule: (node: Node, args: readonly Expression[]) => Expression;
  readonly fold: (x: number) => number;
}

const asItIs: CastRule = { rule: (_, [x]) => x!, fold: (x) => x };
const truth: CastRule = {
  rule: (_, [x]) => apply('subtract', number(1), apply('equal', x!, number(0))),
  fold: (x) => (x === 0 ? 0 : 1),
};
const cutOff: CastRule = { rule: (_, [x]) => apply('truncate', x!), fold: (x) => Math.trunc(x) };

/** What a Cast does to numbers in lanes. Throws EngineError where they would wrap around. */
export function castRule(node: Node): CastRule {
  const [from, to] = [node.inputs[0]!.dtype, node.outputs[0]!.dtype];
  if (to === 'float32' || from === to || from === 'bool') return asItIs;
  if (to === 'bool') return truth;
  if (to === 'uint8') throw unsupported(node, 'a cast to numbers that do not wrap around');
  return from === 'float32' ? cutOff : asItIs;
}

/** True for inputs that are read as whole numbers: otherwise than by rounding to float32, and as labels. */
function isReadWhole(input: Value, graph: Graph): boolean {
  const isLabel = (node: Node): boolean => node.op.startsWith('SoftmaxCrossEntropyLoss');
  const isRounded = (node: Node): boolean => node.op === 'Cast' && node.outputs[0]!.dtype === 'float32';
  return graph.nodes.some((node) => node.inputs.includes(input) && !isLabel(node) && !isRounded(node));
}

/** Makes the loss a NaN where a fed number is too large to be held exactly. */
export function checkFeeds(graph: Graph, loss: Sums, lowering: Lowering): void {
  graph.inputs.forEach((input, index) => {
    const isLarge = input.dtype === 'int32' || input.dtype === 'int64';
    if (!isLarge || !isReadWhole(input, graph)) return;
    const type = input.dtype === 'int32' ? 'int32_t' : 'int64_t';
    lowering.steps.push(checkFeed({ kind: 'feed', index }, type, sizeOf(input.shape), loss));
  });
}
