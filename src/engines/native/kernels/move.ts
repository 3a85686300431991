import { Fused } from '../emit/fused.js';
import { floatLiteral } from '../emit/text.js';
import type { Expression } from '../plan/expression.js';
import type { Tensor } from '../plan/objects.js';
import { Parameters } from '../plan/parameters.js';
import type { Step } from '../plan/step.js';

/** Places of elements along the axes of a loop; strides may be 0 or negative. */
export interface Places {
  readonly offset: number;
  readonly strides: readonly number[];
}

/** Elements of one example of `input` that go to others of the output. */
export interface Move {
  readonly input: Tensor;
  readonly extents: readonly number[];
  readonly from: Places;
  readonly to: Places;
}

const indexOf = ({ offset, strides }: Places): string =>
  [`${offset}`, ...strides.map((stride, axis) => `i${axis} * (${stride}L)`)].join(' + ');

/** Copies elements; those that no move reaches become `fill`, if it is given. */
export function move(moves: readonly Move[], output: Tensor, fill: number | null): Step {
  const parameters = new Parameters();
  const out = parameters.write(output);
  const filling =
    fill === null ? '' : `for (long e = 0; e < ${output.elements}; e++) y[e] = v_set(${floatLiteral(fill)});`;
  const copies = moves.map(({ input, extents, from, to }) => {
    const source = `const v *const x = ${parameters.read(input)} + g * ${input.stride};`;
    const loops = extents.reduceRight(
      (inner, extent, axis) => `for (long i${axis} = 0; i${axis} < ${extent}; i${axis}++) {\n${inner}\n}`,
      `y[${indexOf(to)}] = x[${indexOf(from)}];`,
    );
    return `{ ${source}\n${loops}\n}`;
  });
  const body = `for (long g = 0; g < groups; g++) {
      v *const y = ${out} + g * ${output.stride};
      ${filling}
      ${copies.join('\n')}
    }`;
  return parameters.step('move', 'group', body);
}

/** Brings numbers that lie elsewhere, [...extents] by strides, into row-major order; element-wise consumers join in. */
export function arrange(
  input: Tensor,
  from: Places,
  extents: readonly number[],
  output: Tensor,
  result: Expression,
): Step {
  const parameters = new Parameters();
  const x = parameters.read(input);
  const fused = new Fused(parameters, [result]);
  const out = parameters.write(output);
  const loops = extents.reduceRight(
    (inner, extent, axis) =>
      `for (long i${axis} = 0; i${axis} < ${extent}; i${axis}++) {
        ${axis === 0 ? fused.channelLocals('i0') : ''}
        ${inner}
      }`,
    `y[e] = ${fused.value(result, 'e', `x[${indexOf(from)}]`)}; e++;`,
  );
  const body = `for (long g = 0; g < groups; g++) {
      const v *const x = ${x} + g * ${input.stride};
      v *const y = ${out} + g * ${output.stride};
      ${fused.groupLocals}
      ${extents.length === 0 ? fused.channelLocals('0') : ''}
      long e = 0;
      ${loops}
    }`;
  return parameters.step('arrange', 'group', body);
}
