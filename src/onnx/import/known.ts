import { once } from '../../num/once.js';
import { NodeContext } from './context.js';
import { folded } from './fold.js';
import { zip } from './fold-elementwise.js';
import { expansion } from './operators/arguments.js';
import { translations } from './operators/translations.js';
import { isStatic, tabulate, type Operand, type StaticTensor } from './static-tensor.js';

/** Operators whose translation gives numbers where it is given numbers, and adds nothing to the graph. */
const plain: readonly string[] = ['Cast', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze'];

/** Copies along axes of extent 1. As large as a chunk of examples, they are made where somebody asks for the numbers. */
function expanded(context: NodeContext): StaticTensor | null {
  const found = expansion(context);
  if (found === null || !isStatic(found.from)) return null;
  const { from, shape } = found;
  return zip(from.dtype, [from, tabulate(from.dtype, shape, () => 0)], (number) => number);
}

function computed(context: NodeContext): StaticTensor | null {
  const { opType } = context.node;
  const first = context.operand(0);
  if (opType === 'Expand' && isStatic(first)) return expanded(context);
  const result = folded(context) ?? (plain.includes(opType) ? translations.get(opType)!(context) : null);
  return result !== null && !Array.isArray(result) && isStatic(result as Operand)
    ? (result as StaticTensor)
    : null;
}

/** Remembers how to compute the numbers of a node's only output, where they follow from constants and shapes and were left to the engines. */
export function rememberKnown({ node, inputs, state }: NodeContext, outputs: readonly Operand[]): void {
  const [output] = outputs;
  if (outputs.length !== 1 || output === undefined || isStatic(output) || state.known.has(output.id)) return;
  const isKnown = (input: Operand | null): boolean =>
    input === null || isStatic(input) || state.known.has(input.id);
  if (inputs.length === 0 || !inputs.every(isKnown)) return;
  state.known.set(
    output.id,
    once(() => {
      const numbers = inputs.map((input) =>
        input === null || isStatic(input) ? input : state.known.get(input.id)!(),
      );
      if (numbers.some((input, k) => input === null && inputs[k] !== null)) return null;
      return computed(new NodeContext(node, numbers, state));
    }),
  );
}
