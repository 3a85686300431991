import { Fused } from '../../emit/fused.js';
import { doubleLiteral, lines } from '../../emit/text.js';
import type { Expression } from '../../plan/expression.js';
import type { Geometry } from '../../plan/geometry.js';
import type { Sums, Table } from '../../plan/objects.js';
import { Parameters } from '../../plan/parameters.js';
import type { Step } from '../../plan/step.js';

/** Sums over a chunk of x and x², by channel. */
export interface MomentSums {
  readonly sum: Sums;
  readonly squares: Sums;
}

/**
 * Adds x and x² over examples and pixels, by channel. Each lane sums distances from its own first number in float32, so
 * that a large mean costs no digits; these sums are put together in double.
 */
export function moments(x: Expression, { channels, pixels }: Geometry, sums: MomentSums): Step {
  const parameters = new Parameters();
  const fused = new Fused(parameters, [x]);
  const mask = parameters.read({ kind: 'mask' });
  const sum = parameters.writeSums(sums.sum);
  const squares = parameters.writeSums(sums.squares);
  const partials = Math.min(4, pixels);
  const whole = pixels - (pixels % partials);
  const add = (k: number): string => `{ const v far = ${fused.value(x, `e + ${k}`)} - pivot;
    s${k} += far; q${k} += far * far; }`;
  const body = `for (long g = 0; g < groups; g++) {
      ${fused.groupLocals}
      for (long c = 0; c < ${channels}; c++) {
        ${fused.channelLocals('c')}
        long e = c * ${pixels};
        const v pivot = ${fused.value(x, 'e')};
        ${lines(partials, (k) => `v s${k} = {0}, q${k} = {0};`)}
        for (; e < c * ${pixels} + ${whole}; e += ${partials}) { ${lines(partials, add)} }
        ${lines(pixels - whole, add)}
        ${lines(partials - 1, (k) => `s0 += s${k + 1}; q0 += q${k + 1};`)}
        add_moments(${sum} + c, ${squares} + c, ${mask}[g], pivot, s0, q0, ${doubleLiteral(pixels)});
      }
    }`;
  return parameters.step('moments', 'group', body);
}

export interface NormTables {
  readonly mean: Table;
  readonly invStd: Table;
  /** scale · invStd */
  readonly slope: Table;
}

/** Mean, inverse standard deviation and slope of each channel from the sums over `count` numbers. */
export function normTables(
  channels: number,
  count: number,
  epsilon: number,
  sums: MomentSums,
  scale: Table,
  tables: NormTables,
): Step {
  const parameters = new Parameters();
  const sum = parameters.readSums(sums.sum);
  const squares = parameters.readSums(sums.squares);
  const scales = parameters.readTable(scale);
  const mean = parameters.writeTable(tables.mean);
  const invStd = parameters.writeTable(tables.invStd);
  const slope = parameters.writeTable(tables.slope);
  const body = `for (long c = 0; c < ${channels}; c++) {
      const double m = ${sum}[c] / ${doubleLiteral(count)};
      const double variance = fmax(0, ${squares}[c] / ${doubleLiteral(count)} - m * m);
      const double inverse = 1 / sqrt(variance + ${doubleLiteral(epsilon)});
      ${mean}[c] = (float)m;
      ${invStd}[c] = (float)inverse;
      ${slope}[c] = (float)(${scales}[c] * inverse);
    }`;
  return parameters.step('norm_tables', 'once', body);
}

/** What the input gradient needs of each channel: dx = (dy - meanGradient - (x - mean) · pull) · slope. */
export interface NormGradientTables {
  readonly meanGradient: Table;
  readonly pull: Table;
  readonly slope: Table;
}

/** Those numbers from Σ dy and Σ dy · (x - mean) · invStd over `count` numbers. */
export function normGradientTables(
  channels: number,
  count: number,
  dbias: Sums,
  dscale: Sums,
  given: { readonly scale: Table; readonly invStd: Table },
  tables: NormGradientTables,
): Step {
  const parameters = new Parameters();
  const biases = parameters.readSums(dbias);
  const scales = parameters.readSums(dscale);
  const scale = parameters.readTable(given.scale);
  const invStd = parameters.readTable(given.invStd);
  const meanGradient = parameters.writeTable(tables.meanGradient);
  const pull = parameters.writeTable(tables.pull);
  const slope = parameters.writeTable(tables.slope);
  const body = `for (long c = 0; c < ${channels}; c++) {
      ${meanGradient}[c] = (float)(${biases}[c] / ${doubleLiteral(count)});
      ${pull}[c] = (float)(${scales}[c] / ${doubleLiteral(count)} * ${invStd}[c]);
      ${slope}[c] = ${scale}[c] * ${invStd}[c];
    }`;
  return parameters.step('norm_gradient_tables', 'once', body);
}
