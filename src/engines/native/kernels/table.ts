import type { Shape } from '../../../graph/types.js';
import type { Numbers, Sums, Table } from '../plan/objects.js';
import { Parameters } from '../plan/parameters.js';
import type { Step } from '../plan/step.js';
import { doubleLiteral } from '../emit/text.js';

export interface Strided {
  readonly shape: Shape;
  readonly strides: readonly number[];
}

/** Loops over a shape, row-major; `body` gets the C expression of the strided index. */
function stridedLoops({ shape, strides }: Strided, body: (index: string) => string): string {
  const index = shape.map((_, axis) => `i${axis} * ${strides[axis]!}L`).join(' + ');
  return shape.reduceRight(
    (inner, extent, axis) => `for (long i${axis} = 0; i${axis} < ${extent}; i${axis}++) {\n${inner}\n}`,
    body(index === '' ? '0' : index),
  );
}

/** Copies numbers of θ or the constants into a table of floats, row-major. */
export function fillTable(numbers: Numbers, view: Strided, table: Table): Step {
  const parameters = new Parameters();
  const from = parameters.numbers(numbers);
  const to = parameters.writeTable(table);
  const loops = stridedLoops(view, (index) => `*to++ = (float)${from}[${index}];`);
  return parameters.step('fill_table', 'once', `float *to = ${to};\n${loops}`);
}

/** Adds sums times a factor to the gradient, from `offset` on. */
export function addToGradient(sums: Sums, factor: number, view: Strided, offset: number): Step {
  const parameters = new Parameters();
  const from = parameters.readSums(sums);
  const to = parameters.gradient(offset);
  const scaled = factor === 1 ? '' : ` * ${doubleLiteral(factor)}`;
  const loops = stridedLoops(view, (index) => `*to++ += ${from}[${index}]${scaled};`);
  return parameters.step('add_to_gradient', 'once', `double *to = ${to};\n${loops}`);
}
