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
  const names = operands.map(({ source }) => parameters.readArray(source));
  const to = parameters.writeArray(output);
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

/** Extents of a result, and of what is summed over. */
export interface ProductLoops {
  readonly shape: Shape;
  readonly summed: readonly number[];
  readonly factor: number;
}

/**
 * Stores sums of products of arrays times a factor, in double, row-major with `shape`: strides of the operands are those along the axes of
 * the result and then along those summed over.
 */
export function sumProducts(
  operands: readonly { readonly source: Numbers | Sums; readonly strides: readonly number[] }[],
  { shape, summed, factor }: ProductLoops,
  output: Numbers | Sums,
): Step {
  const parameters = new Parameters();
  const names = operands.map(({ source }) => parameters.readArray(source));
  const to = parameters.writeArray(output);
  const element = (k: number): string => {
    const { strides } = operands[k]!;
    const axis = (place: number): string => (place < shape.length ? `i${place}` : `k${place - shape.length}`);
    return `${names[k]!}[${['0', ...strides.map((stride, place) => `${axis(place)} * ${stride}L`)].join(' + ')}]`;
  };
  const product = ['1.0', ...operands.map((_, k) => element(k))].join(' * ');
  const inner = summed.reduceRight(
    (body, extent, axis) => `for (long k${axis} = 0; k${axis} < ${extent}; k${axis}++) {\n${body}\n}`,
    `sum += ${product};`,
  );
  const strides = shape.map(() => 0);
  const body = `double sum = 0.0;\n${inner}\n*to++ = sum * ${doubleLiteral(factor)};`;
  const loops = stridedLoops({ shape, strides }, () => body);
  return parameters.step('sum_products', 'once', `double *to = ${to};\n{ ${loops} }`);
}
