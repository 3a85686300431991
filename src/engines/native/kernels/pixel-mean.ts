import { Fused } from '../emit/fused.js';
import { floatLiteral, lines } from '../emit/text.js';
import type { Expression } from '../plan/expression.js';
import type { Geometry } from '../plan/geometry.js';
import type { Tensor } from '../plan/objects.js';
import { Parameters } from '../plan/parameters.js';
import type { Step } from '../plan/step.js';

/** Sums over the pixels of each channel, times `factor`. */
export function pixelSums(
  expression: Expression,
  { channels, pixels }: Geometry,
  factor: number,
  output: Tensor,
): Step {
  const parameters = new Parameters();
  const fused = new Fused(parameters, [expression]);
  const out = parameters.write(output);
  const partials = Math.min(4, pixels);
  const whole = pixels - (pixels % partials);
  const add = (k: number): string => `a${k} += ${fused.value(expression, `e + ${k}`)};`;
  const total = Array.from({ length: partials }, (_, k) => `a${k}`).join(' + ');
  const body = `for (long g = 0; g < groups; g++) {
      ${fused.groupLocals}
      v *const y = ${out} + g * ${output.stride};
      for (long c = 0; c < ${channels}; c++) {
        ${fused.channelLocals('c')}
        ${lines(partials, (k) => `v a${k} = {0};`)}
        long e = c * ${pixels};
        for (; e < c * ${pixels} + ${whole}; e += ${partials}) { ${lines(partials, add)} }
        ${lines(pixels - whole, add)}
        y[c] = (${total}) * ${floatLiteral(factor)};
      }
    }`;
  return parameters.step('pixel_sums', 'group', body);
}
