import type { Tensor } from '../plan/objects.js';
import { Parameters } from '../plan/parameters.js';
import type { Split, Step } from '../plan/step.js';

/** The elements of an example as [outer, axis, inner]; the softmax runs along the axis. */
export interface SoftmaxShape {
  readonly outer: number;
  readonly axis: number;
  readonly inner: number;
  readonly isLogarithmic: boolean;
}

/** Loops over the rows of a group; `at` is the element of the row's first number, successive ones lie `inner` apart. */
function rows({ axis, inner }: SoftmaxShape, start: string, body: string): string {
  return `for (long g = 0; g < groups; g++) {
    ${start}
    for (long o = low; o < high; o++) for (long i = 0; i < ${inner}; i++) {
      const long at = o * ${axis * inner} + i;
      ${body}
    }
  }`;
}

const split = ({ outer }: SoftmaxShape): Split => ({ parts: outer, tile: 1, whole: new Set() });

/** One statement for each number of a row. */
const along = ({ axis, inner }: SoftmaxShape, statement: string): string =>
  `for (long k = 0; k < ${axis}; k++) { const long e = at + k * ${inner}; ${statement} }`;

/** Softmax or its logarithm. */
export function softmax(shape: SoftmaxShape, input: Tensor, output: Tensor): Step {
  const parameters = new Parameters();
  const from = parameters.read(input);
  const to = parameters.write(output);
  const start = `const v *const x = ${from} + g * ${input.stride};
    v *const y = ${to} + g * ${output.stride};`;
  const finish = shape.isLogarithmic
    ? `const v shift = top + v_log(total);
      ${along(shape, 'y[e] = x[e] - shift;')}`
    : along(shape, 'y[e] = y[e] / total;');
  const body = `v top = x[at], total = {0};
    ${along(shape, 'top = v_max(top, x[e]);')}
    ${along(shape, 'total += y[e] = v_exp(x[e] - top);')}
    ${finish}`;
  return parameters.step('softmax', 'group', rows(shape, start, body), { split: split(shape) });
}

/** dx from dy and y. */
export function softmaxGradient(shape: SoftmaxShape, gradient: Tensor, result: Tensor, output: Tensor): Step {
  const parameters = new Parameters();
  const upstream = parameters.read(gradient);
  const forward = parameters.read(result);
  const to = parameters.write(output);
  const start = `const v *const dy = ${upstream} + g * ${gradient.stride}, *const y = ${forward} + g * ${result.stride};
    v *const dx = ${to} + g * ${output.stride};`;
  const body = shape.isLogarithmic
    ? `v total = {0};
      ${along(shape, 'total += dy[e];')}
      ${along(shape, 'dx[e] = dy[e] - v_exp(y[e]) * total;')}`
    : `v total = {0};
      ${along(shape, 'total += dy[e] * y[e];')}
      ${along(shape, 'dx[e] = y[e] * (dy[e] - total);')}`;
  return parameters.step('softmax_gradient', 'group', rows(shape, start, body), { split: split(shape) });
}
