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
export function stridedLoops({ shape, strides }: Strided, body: (index: string) => string): string {
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

export interface ScaledSums extends Strided {
  readonly sums: Sums;
  readonly factor: number;
}

/**
 * Adds an array of sums, row-major with `shape`, times a factor to others from `offset` on: `strides` of these are 0 along the axes
 * summed over.
 */
export function foldSums(
  sums: Sums,
  { shape, strides, offset = 0 }: Strided & { readonly offset?: number },
  output: Sums,
  factor = 1,
): Step {
  const parameters = new Parameters();
  const from = parameters.readSums(sums);
  const to = parameters.writeSums(output);
  const start = offset === 0 ? '' : `${offset} + `;
  const scaled = factor === 1 ? '' : ` * ${doubleLiteral(factor)}`;
  const loops = stridedLoops({ shape, strides }, (index) => `${to}[${start}${index}] += *from++${scaled};`);
  return parameters.step('fold_sums', 'once', `const double *from = ${from};\n${loops}`);
}

/** Copies sums that are seen from an offset on, with strides, into row-major order. */
export function arrangeSums(sums: Sums, view: Strided & { readonly offset?: number }, output: Sums): Step {
  const parameters = new Parameters();
  const from = parameters.readSums(sums);
  const to = parameters.writeSums(output);
  const loops = stridedLoops(view, (index) => `*to++ += ${from}[${view.offset ?? 0} + ${index}];`);
  return parameters.step('arrange_sums', 'once', `double *to = ${to};\n${loops}`);
}

/** Numbers, or the same one everywhere, seen with a shape, and where they go in a larger array. */
export interface Placed extends Strided {
  readonly source: Numbers | number;
  readonly to: { readonly offset: number; readonly strides: readonly number[] };
}

/** Puts arrays into one of `length` numbers; what none covers is `fill`. */
export function placeNumbers(parts: readonly Placed[], length: number, fill: number, output: Numbers): Step {
  const parameters = new Parameters();
  const to = parameters.writeNumbers(output);
  const loops = parts.map(({ source, shape, strides, to: { offset, strides: outer } }) => {
    const from = typeof source === 'number' ? null : parameters.numbers(source);
    const place = shape.map((_, axis) => `i${axis} * ${outer[axis]!}L`).join(' + ');
    return stridedLoops({ shape, strides }, (index) => {
      const value = from === null ? doubleLiteral(source as number) : `${from}[${index}]`;
      return `${to}[${offset} + ${place === '' ? '0' : place}] = ${value};`;
    });
  });
  const filled = `for (long i = 0; i < ${length}; i++) ${to}[i] = ${doubleLiteral(fill)};`;
  return parameters.step('place_numbers', 'once', [filled, ...loops].join('\n'));
}

/** Stores the sum of two arrays of sums, row-major, seen with the same shape. */
export function addSums(a: ScaledSums, b: ScaledSums, output: Sums): Step {
  const parameters = new Parameters();
  const left = parameters.readSums(a.sums);
  const right = parameters.readSums(b.sums);
  const to = parameters.writeSums(output);
  const loops = [[left, a] as const, [right, b] as const].map(([from, view]) => {
    const added = stridedLoops(
      view,
      (index) => `*to++ += ${from}[${index}] * ${doubleLiteral(view.factor)};`,
    );
    return `{ double *to = ${to};\n${added}\n}`;
  });
  return parameters.step('add_arrays', 'once', loops.join('\n'));
}
