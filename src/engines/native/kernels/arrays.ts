import type { Shape } from '../../../graph/types.js';
import { doubleCode } from '../emit/double.js';
import { doubleLiteral } from '../emit/text.js';
import type { Expression, Unfinished } from '../plan/expression.js';
import type { Numbers, Sums } from '../plan/objects.js';
import { Parameters } from '../plan/parameters.js';
import type { Step } from '../plan/step.js';
import { stridedLoops } from './table.js';

/** Numbers that belong to no example, seen with the shape of a result. */
export interface ArrayOperand {
  /** The leaf of the expression that stands for an element. */
  readonly by: Unfinished;
  readonly source: Numbers | Sums;
  readonly strides: readonly number[];
  readonly factor: number;
}

/** Stores an expression of arrays, element by element in double, row-major with `shape`. */
export function computeArray(
  expression: Expression,
  operands: readonly ArrayOperand[],
  shape: Shape,
  output: Numbers | Sums,
): Step {
  const parameters = new Parameters();
  const names = operands.map(({ source }) =>
    source.kind === 'sums' ? parameters.readSums(source) : parameters.numbers(source),
  );
  const to = output.kind === 'sums' ? parameters.writeSums(output) : parameters.writeNumbers(output);
  const element = ({ strides, factor }: ArrayOperand, k: number): string => {
    const index = strides.map((stride, axis) => `i${axis} * ${stride}L`).join(' + ');
    return `${names[k]!}[${index === '' ? '0' : index}]${factor === 1 ? '' : ` * ${doubleLiteral(factor)}`}`;
  };
  const declared = operands.map((operand, k) => `const double e${k} = ${element(operand, k)};`).join(' ');
  const nameOf = (by: Unfinished): string => `e${operands.findIndex((operand) => operand.by === by)}`;
  const strides = shape.map(() => 0);
  const loops = stridedLoops(
    { shape, strides },
    () => `${declared} *to++ = ${doubleCode(expression, nameOf)};`,
  );
  return parameters.step('compute_array', 'once', `double *to = ${to};\n${loops}`);
}
