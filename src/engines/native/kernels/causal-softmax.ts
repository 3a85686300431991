import { Fused } from '../emit/fused.js';
import { lines } from '../emit/text.js';
import { type Stored, wholeTensorsOf } from '../plan/expression.js';
import type { Tensor } from '../plan/objects.js';
import { Parameters } from '../plan/parameters.js';
import type { Split, Step } from '../plan/step.js';

/** Squares [outer, tokens, tokens] of each example: row i has numbers up to column i, and zeros behind. */
export interface CausalShape {
  readonly outer: number;
  readonly tokens: number;
  /** Successive rows that belong to one channel. */
  readonly rowsPerChannel: number;
}

/** Sums that are added up side by side, so that an addition does not wait for the one before. */
const PARTIAL = 4;

function overRows({ tokens }: CausalShape, start: string, body: string): string {
  return `for (long g = 0; g < groups; g++) {
    ${start}
    for (long r = low; r < high; r++) {
      const long at = r * ${tokens}, count = r % ${tokens} + 1;
      ${body}
    }
  }`;
}

const byRows = ({ outer, tokens }: CausalShape, whole: Split['whole'] = new Set()): Split => ({
  parts: outer * tokens,
  tile: 1,
  whole,
});

/** Statements for elements 0 … count - 1 of a row, the k-th of PARTIAL with sum k. */
const along = (statement: (element: string, k: number) => string): string => `{ long e = at;
    const long end = at + count;
    for (; e + ${PARTIAL} <= end; e += ${PARTIAL}) { ${lines(PARTIAL, (k) => statement(`e + ${k}`, k))} }
    for (; e < end; e++) { ${statement('e', 0)} } }`;

const sumUp = (name: string): string => `const v ${name} = ${name}0 + ${name}1 + (${name}2 + ${name}3);`;
const declare = (name: string): string => lines(PARTIAL, (k) => `v ${name}${k} = {0};`);
const clear = (name: string, tokens: number): string =>
  `for (long e = at + count; e < at + ${tokens}; e++) ${name}[e] = (v){0};`;

/** Softmax of each row's first numbers. */
export function causalSoftmax(shape: CausalShape, input: Tensor, output: Tensor): Step {
  const parameters = new Parameters();
  const from = parameters.read(input);
  const to = parameters.write(output);
  const start = `const v *const x = ${from} + g * ${input.stride};
    v *const y = ${to} + g * ${output.stride};`;
  const body = `${lines(PARTIAL, (k) => `v top${k} = x[at];`)}
    ${along((e, k) => `top${k} = v_max(top${k}, x[${e}]);`)}
    const v top = v_max(v_max(top0, top1), v_max(top2, top3));
    ${declare('total')}
    ${along((e, k) => `total${k} += y[${e}] = v_exp(x[${e}] - top);`)}
    ${sumUp('total')}
    const v share = 1.0f / total;
    ${along((e) => `y[${e}] *= share;`)}
    ${clear('y', shape.tokens)}`;
  return parameters.step('causal_softmax', 'group', overRows(shape, start, body), { split: byRows(shape) });
}

/** dx from dy, whose numbers behind each row's own are never read, and y. What is stored is in terms of dx (the leaf `computed`). */
export function causalSoftmaxGradient(
  shape: CausalShape,
  gradient: Tensor,
  forward: Tensor,
  { output, result }: Stored,
): Step {
  const parameters = new Parameters();
  const [dy, y] = [parameters.read(gradient), parameters.read(forward)];
  const fused = new Fused(parameters, [result]);
  const to = parameters.write(output);
  const start = `const v *const dy = ${dy} + g * ${gradient.stride}, *const y = ${y} + g * ${forward.stride};
    v *const to = ${to} + g * ${output.stride};
    ${fused.groupLocals}`;
  const store = (e: string, dx: string): string => `to[${e}] = ${fused.value(result, e, dx)};`;
  const body = `${declare('total')}
    ${along((e, k) => `total${k} += dy[${e}] * y[${e}];`)}
    ${sumUp('total')}
    ${fused.channelLocals(`r / ${shape.rowsPerChannel}`)}
    ${along((e) => store(e, `(y[${e}] * (dy[${e}] - total))`))}
    for (long e = at + count; e < at + ${shape.tokens}; e++) ${store('e', '(v){0}')}`;
  const split = byRows(shape, wholeTensorsOf([result]));
  return parameters.step('causal_softmax_gradient', 'group', overRows(shape, start, body), { split });
}
