import { Fused } from '../emit/fused.js';
import type { Expression } from '../plan/expression.js';
import { tensorsOf } from '../plan/expression.js';
import type { Geometry } from '../plan/geometry.js';
import type { Tensor } from '../plan/objects.js';
import { Parameters } from '../plan/parameters.js';
import type { Step } from '../plan/step.js';

/** Stores an expression element by element. */
export function map(expression: Expression, { channels, pixels }: Geometry, output: Tensor): Step {
  const parameters = new Parameters();
  const fused = new Fused(parameters, [expression]);
  const out = parameters.write(output);
  const body = `for (long g = 0; g < groups; g++) {
      ${fused.groupLocals}
      v *const y = ${out} + g * ${output.stride};
      for (long c = 0; c < ${channels}; c++) {
        ${fused.channelLocals('c')}
        for (long e = c * ${pixels}; e < (c + 1) * ${pixels}; e++) y[e] = ${fused.value(expression, 'e')};
      }
    }`;
  return parameters.step('map', 'group', body, { replaceable: tensorsOf(expression) });
}
