import { Fused } from '../emit/fused.js';
import { floatLiteral, lines } from '../emit/text.js';
import { wholeTensorsOf } from '../plan/expression.js';
import type { Expression } from '../plan/expression.js';
import type { Tensor } from '../plan/objects.js';
import { Parameters } from '../plan/parameters.js';
import type { Step } from '../plan/step.js';

/** How the elements of an example are reduced along some of their axes. */
export interface Fold {
  /** Extents and strides of the axes that stay. */
  readonly kept: { readonly extents: readonly number[]; readonly strides: readonly number[] };
  /** Of those that are reduced. */
  readonly reduced: { readonly extents: readonly number[]; readonly strides: readonly number[] };
  readonly kind: 'sum' | 'largest';
  /** Of the result. */
  readonly factor: number;
}

type Axes = Fold['kept'];

function loops({ extents }: Axes, name: string, body: string): string {
  return extents.reduceRight(
    (inner, extent, axis) =>
      `for (long ${name}${axis} = 0; ${name}${axis} < ${extent}; ${name}${axis}++) {\n${inner}\n}`,
    body,
  );
}

const index = ({ strides }: Axes, name: string): string =>
  ['0', ...strides.map((stride, axis) => `${name}${axis} * ${stride}L`)].join(' + ');

/** Sums or largest numbers of each example, row-major. */
export function fold({ kept, reduced, kind, factor }: Fold, input: Tensor, output: Tensor): Step {
  const parameters = new Parameters();
  const from = parameters.read(input);
  const to = parameters.write(output);
  const start = kind === 'sum' ? '{0}' : 'v_set(-INFINITY)';
  const join = kind === 'sum' ? 'a += x[at];' : 'a = v_maximum(a, x[at]);';
  const scaled = factor === 1 ? 'a' : `a * ${floatLiteral(factor)}`;
  const inner = `v a = ${start};
    const long base = ${index(kept, 'i')};
    ${loops(reduced, 'k', `const long at = base + ${index(reduced, 'k')}; ${join}`)}
    *y++ = ${scaled};`;
  const body = `for (long g = 0; g < groups; g++) {
      const v *const x = ${from} + g * ${input.stride};
      v *y = ${to} + g * ${output.stride};
      ${loops(kept, 'i', inner)}
    }`;
  return parameters.step('fold', 'group', body);
}

/** The elements of an example as rows, of which successive `rowsPerChannel` belong to one channel. */
export interface Rows {
  readonly rows: number;
  readonly length: number;
  readonly rowsPerChannel: number;
}

/** Rows that are reduced side by side, so that an addition does not wait for the one before. */
const ROWS_AT_ONCE = [4, 2, 1];

/** Sum or largest number of each row of an expression. */
export function foldRows(
  expression: Expression,
  { rows, length, rowsPerChannel }: Rows,
  kind: Fold['kind'],
  factor: number,
  output: Tensor,
): Step {
  const parameters = new Parameters();
  const fused = new Fused(parameters, [expression]);
  const to = parameters.write(output);
  const start = kind === 'sum' ? '{0}' : 'v_set(-INFINITY)';
  const scaled = (k: number): string => (factor === 1 ? `a${k}` : `a${k} * ${floatLiteral(factor)}`);
  const element = (k: number): string => fused.value(expression, `(r + ${k}) * ${length} + e`);
  const join = (k: number): string =>
    kind === 'sum' ? `a${k} += ${element(k)};` : `a${k} = v_maximum(a${k}, ${element(k)});`;
  const body = `for (long g = 0; g < groups; g++) {
      v *const y = ${to} + g * ${output.stride};
      ${fused.groupLocals}
      long r = low;
      ${ROWS_AT_ONCE.map(
        (size) => `for (; r + ${size} <= high; r += ${size}) {
          ${lines(size, (k) => `v a${k} = ${start};`)}
          for (long e = 0; e < ${length}; e++) {
            ${lines(size, (k) => `{ ${fused.channelLocals(`(r + ${k}) / ${rowsPerChannel}`)} ${join(k)} }`)}
          }
          ${lines(size, (k) => `y[r + ${k}] = ${scaled(k)};`)}
        }`,
      ).join('\n')}
    }`;
  const split = { parts: rows, tile: 1, whole: wholeTensorsOf([expression]) };
  return parameters.step('fold_rows', 'group', body, { split });
}
