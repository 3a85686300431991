import type { Pooling } from '../../../graph/windows.js';
import { floatLiteral, lines } from '../emit/text.js';
import type { Tensor } from '../plan/objects.js';
import { Parameters } from '../plan/parameters.js';
import type { Step } from '../plan/step.js';
import type { Axis } from './axes.js';
import { axesOf } from './axes.js';
import { Fused } from '../emit/fused.js';
import type { Expression } from '../plan/expression.js';
import type { Geometry } from '../plan/geometry.js';

/** Vectors that hold one byte per element and example. */
export function indexVectors(elements: number): number {
  return Math.ceil(elements / 4);
}

/** Loops over groups, channels and windows; `o` is the window's element of the output. */
function windows(p: Pooling, start: string, perChannel: string, body: string): string {
  const { y, x } = axesOf(p);
  return `for (long g = 0; g < groups; g++) {
    ${start}
    for (long c = 0; c < ${p.channels}; c++) {
      ${perChannel}
      for (long i = 0; i < ${y.output}; i++) for (long j = 0; j < ${x.output}; j++) {
        const long o = (c * ${y.output} + i) * ${x.output} + j;
        ${body}
      }
    }
  }`;
}

/** True where each window lies inside the input. */
function isInside({ y, x }: { y: Axis; x: Axis }): boolean {
  return [y, x].every((axis) => {
    const last = (axis.output - 1) * axis.stride - axis.pad + (axis.kernel - 1) * axis.dilation;
    return axis.pad === 0 && last < axis.input;
  });
}

/** Loops over the taps inside the input; `e` is the input's element, `k` the tap's number. */
function taps(p: Pooling, body: string): string {
  const axes = axesOf(p);
  const { y, x } = axes;
  const guard = isInside(axes)
    ? ''
    : `if (row < 0 || row >= ${y.input} || column < 0 || column >= ${x.input}) continue;`;
  return `for (long a = 0; a < ${y.kernel}; a++) for (long b = 0; b < ${x.kernel}; b++) {
    const long row = i * ${y.stride} + a * ${y.dilation} - ${y.pad}, column = j * ${x.stride} + b * ${x.dilation} - ${x.pad};
    ${guard}
    const long e = (c * ${y.input} + row) * ${x.input} + column, k = a * ${x.kernel} + b;
    ${body}
  }`;
}

/** Maxima of windows, and which tap each came from: the first one, where several are equal. */
export function maxPool(p: Pooling, input: Tensor, output: Tensor, index: Tensor | null): Step {
  const parameters = new Parameters();
  const from = parameters.read(input);
  const to = parameters.write(output);
  const chosen = index && parameters.write(index);
  const start = `const v *const x = ${from} + g * ${input.stride};
    v *const y = ${to} + g * ${output.stride};
    ${chosen ? `bytes *const tap = (bytes *)(${chosen} + g * ${index.stride});` : ''}`;
  const body = `v top = v_set(-INFINITY), best = v_set(-1.0f);
    ${taps(
      p,
      `const v a0 = x[e];
      ${chosen ? 'best = v_if_greater(v_set(0.0f), best, v_set((float)k), v_if_greater(a0, top, v_set((float)k), best));' : ''}
      top = v_maximum(top, a0);`,
    )}
    y[o] = top;
    ${chosen ? 'tap[o] = __builtin_convertvector(best, bytes);' : ''}`;
  return parameters.step('max_pool', 'group', windows(p, start, '', body));
}

/** Sends the gradient of each maximum to the tap that it came from. */
export function maxPoolGradient(p: Pooling, gradient: Tensor, index: Tensor, output: Tensor): Step {
  const parameters = new Parameters();
  const from = parameters.read(gradient);
  const chosen = parameters.read(index);
  const to = parameters.write(output);
  const start = `const v *const dy = ${from} + g * ${gradient.stride};
    v *const dx = ${to} + g * ${output.stride};
    const bytes *const tap = (const bytes *)(${chosen} + g * ${index.stride});`;
  const body = `const v best = v_from_bytes(tap[o]), d = dy[o];
    ${taps(p, `${assignment(p)} v_if_equal(best, v_set((float)k), d);`)}`;
  return parameters.step('max_pool_gradient', 'group', windows(p, start, zeros(p), body));
}

/** True where every input belongs to exactly one window. */
function isPartition(p: Pooling): boolean {
  const axes = axesOf(p);
  return [axes.y, axes.x].every(
    (axis) =>
      axis.pad === 0 &&
      axis.stride === axis.kernel &&
      axis.dilation === 1 &&
      axis.output * axis.stride === axis.input,
  );
}

const assignment = (p: Pooling): string => (isPartition(p) ? 'dx[e] =' : 'dx[e] +=');

/** Zeros a channel of dx where windows add up or leave gaps. */
function zeros(p: Pooling): string {
  const { y, x } = axesOf(p);
  const size = y.input * x.input;
  return isPartition(p) ? '' : `for (long e = c * ${size}; e < (c + 1) * ${size}; e++) dx[e] = (v){0};`;
}

/** Code that counts a window's taps: all, or only those inside the input. */
function countTaps(p: Pooling, includesPad: boolean): string {
  const { y, x } = axesOf(p);
  if (isInside({ y, x })) return `const float share = ${floatLiteral(1 / (y.kernel * x.kernel))};`;
  const reached = (axis: Axis, position: string): string => `({
      long count = 0;
      for (long t = 0; t < ${axis.kernel}; t++) {
        const long at = ${position} * ${axis.stride} + t * ${axis.dilation} - ${axis.pad};
        count += ${includesPad ? `at < ${paddedEnd(p, axis === y)}` : `at >= 0 && at < ${axis.input}`};
      }
      count;
    })`;
  return `const float share = 1.0f / (float)(${reached(y, 'i')} * ${reached(x, 'j')});`;
}

/** Where the padding after the input ends: windows beyond it (ceil_mode) are not counted. */
function paddedEnd(p: Pooling, isRows: boolean): number {
  if (p.input.length === 1) return isRows ? 1 : p.input[0]! + p.padsEnd[0]!;
  const axis = isRows ? 0 : 1;
  return p.input[axis]! + p.padsEnd[axis]!;
}

/** Means of windows. */
export function averagePool(p: Pooling, includesPad: boolean, input: Tensor, output: Tensor): Step {
  const parameters = new Parameters();
  const from = parameters.read(input);
  const to = parameters.write(output);
  const start = `const v *const x = ${from} + g * ${input.stride};
    v *const y = ${to} + g * ${output.stride};`;
  const body = `${countTaps(p, includesPad)}
    v total = {0};
    ${taps(p, 'total += x[e];')}
    y[o] = total * share;`;
  return parameters.step('average_pool', 'group', windows(p, start, '', body));
}

/** Spreads the gradient of each mean over its window. */
export function averagePoolGradient(
  p: Pooling,
  includesPad: boolean,
  gradient: Tensor,
  output: Tensor,
): Step {
  const parameters = new Parameters();
  const from = parameters.read(gradient);
  const to = parameters.write(output);
  const start = `const v *const dy = ${from} + g * ${gradient.stride};
    v *const dx = ${to} + g * ${output.stride};`;
  const body = `${countTaps(p, includesPad)}
    const v d = dy[o] * share;
    ${taps(p, `${assignment(p)} d;`)}`;
  return parameters.step('average_pool_gradient', 'group', windows(p, start, zeros(p), body));
}

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
