import { floatLiteral, lines } from '../../emit/text.js';
import type { StoredObject, Sums, Table, Tensor } from '../../plan/objects.js';
import { Parameters } from '../../plan/parameters.js';
import type { Split, Step } from '../../plan/step.js';
import type { Target } from '../../toolchain/target.js';
import { finishSums, startSums } from '../channel-sums.js';

/** The elements of an example as rows, each normalised by its own mean and variance. */
export interface NormShape {
  readonly rows: number;
  readonly length: number;
  readonly epsilon: number;
  /** Element e has number (e / run) % count of scale and bias. */
  readonly affine: { readonly run: number; readonly count: number };
}

export interface NormTensors {
  readonly mean: Tensor;
  readonly invStd: Tensor;
}

function overRows({ length }: NormShape, start: string, body: string, last = ''): string {
  return `for (long g = 0; g < groups; g++) {
    ${start}
    for (long r = low; r < high; r++) {
      const long begin = r * ${length}, end = begin + ${length};
      ${body}
    }
    ${last}
  }`;
}

const byRows = ({ rows }: NormShape): Split => ({ parts: rows, tile: 1, whole: new Set() });

/** Number of scale and bias of element e; where a row has all of them, without a division. */
const affineIndex = ({ length, affine: { run, count } }: NormShape): string =>
  run === 1 && count === length ? 'e - begin' : `e / ${run} % ${count}`;

/** Sums that are added up side by side, so that an addition does not wait for the one before. */
const PARTIAL = 4;

/** Statements for the elements of a row, the k-th of PARTIAL with sums k; then each sum as a whole. */
function summed(names: readonly string[], statement: (k: number) => string): string {
  const each = (write: (name: string, k: number) => string): string =>
    names.map((name) => lines(PARTIAL, (k) => write(name, k))).join('\n');
  return `${each((name, k) => `v ${name}${k} = {0};`)}
    { long e = begin;
      for (; e + ${PARTIAL} <= end;) { ${lines(PARTIAL, (k) => `{ ${statement(k)} e++; }`)} }
      for (; e < end; e++) { ${statement(0)} } }
    ${names.map((name) => `const v ${name} = ${name}0 + ${name}1 + (${name}2 + ${name}3);`).join('\n')}`;
}

/** y = (x - mean) · invStd · scale + bias */
export function exampleNorm(
  shape: NormShape,
  input: Tensor,
  tables: { readonly scale: Table; readonly bias: Table | null },
  output: Tensor,
  { mean, invStd }: NormTensors,
): Step {
  const parameters = new Parameters();
  const from = parameters.read(input);
  const scale = parameters.readTable(tables.scale);
  const bias = tables.bias && parameters.readTable(tables.bias);
  const [to, means, inverses] = [output, mean, invStd].map((tensor) => parameters.write(tensor));
  const start = `const v *const x = ${from} + g * ${input.stride};
    v *const y = ${to} + g * ${output.stride};
    v *const means = ${means} + g * ${mean.stride}, *const inverses = ${inverses} + g * ${invStd.stride};`;
  const shift = bias === null ? '' : ` + ${bias}[${affineIndex(shape)}]`;
  const body = `${summed(['total'], (k) => `total${k} += x[e];`)}
    const v middle = total * ${floatLiteral(1 / shape.length)};
    ${summed(['squares'], (k) => `const v far = x[e] - middle; squares${k} += far * far;`)}
    const v inverse = 1.0f / v_sqrt(squares * ${floatLiteral(1 / shape.length)} + ${floatLiteral(shape.epsilon)});
    means[r] = middle;
    inverses[r] = inverse;
    for (long e = begin; e < end; e++) y[e] = (x[e] - middle) * inverse * ${scale}[${affineIndex(shape)}]${shift};`;
  return parameters.step('example_norm', 'group', overRows(shape, start, body), { split: byRows(shape) });
}

/** What the gradient of a normalisation is made of. */
export interface NormGiven extends NormTensors {
  readonly gradient: Tensor;
  readonly input: Tensor;
  readonly scale: Table;
}

interface GradientCode {
  readonly parameters: Parameters;
  readonly start: string;
  /** Code of a row, with a statement for each element `e`, where \`normal\` is (x - mean) · invStd. */
  readonly row: (statement: string) => string;
}

function gradientCode(shape: NormShape, given: NormGiven, output: Tensor): GradientCode {
  const parameters = new Parameters();
  const { gradient, input, mean, invStd } = given;
  const [dy, x, means, inverses] = [gradient, input, mean, invStd].map((tensor) => parameters.read(tensor));
  const scale = parameters.readTable(given.scale);
  const dx = parameters.write(output);
  const start = `const v *const dy = ${dy} + g * ${gradient.stride}, *const x = ${x} + g * ${input.stride};
    const v *const means = ${means} + g * ${mean.stride}, *const inverses = ${inverses} + g * ${invStd.stride};
    v *const dx = ${dx} + g * ${output.stride};`;
  const row = (statement: string): string => `const v middle = means[r], inverse = inverses[r];
    ${summed(
      ['sum', 'slant'],
      (k) => `const v upstream = dy[e] * ${scale}[${affineIndex(shape)}], normal = (x[e] - middle) * inverse;
      ${statement}
      sum${k} += upstream;
      slant${k} += upstream * normal;`,
    )}
    const v pull = sum * ${floatLiteral(1 / shape.length)}, lean = slant * ${floatLiteral(1 / shape.length)};
    for (long e = begin; e < end; e++) {
      const v upstream = dy[e] * ${scale}[${affineIndex(shape)}], normal = (x[e] - middle) * inverse;
      dx[e] = inverse * (upstream - pull - normal * lean);
    }`;
  return { parameters, start, row };
}

/** dx, and dy · (x - mean) · invStd of each element, whose sums are the gradient of scale. */
export function exampleNormGradient(
  shape: NormShape,
  given: NormGiven,
  output: Tensor,
  products: Tensor,
): Step {
  const { parameters, start, row } = gradientCode(shape, given, output);
  const terms = `${start}\n    v *const terms = ${parameters.write(products)} + g * ${products.stride};`;
  const body = overRows(shape, terms, row('terms[e] = dy[e] * normal;'));
  return parameters.step('example_norm_gradient', 'group', body, { split: byRows(shape) });
}

/** Gradients of scale and bias, [length] each, of rows that have all of them; the sums of an example are kept in `accumulators` until its last row. */
export interface NormSums {
  readonly scale: Sums;
  readonly bias: Sums;
  /** [2, length] */
  readonly accumulators: Tensor;
  /** True where lanes without an example hold zeros in dy. */
  readonly hasZeroTail: boolean;
}

/** dx, and the gradients of scale and bias in the same pass. */
export function exampleNormGradients(
  shape: NormShape,
  given: NormGiven,
  output: Tensor,
  { scale, bias, accumulators, hasZeroTail }: NormSums,
  target: Target,
): Step {
  const { parameters, start, row } = gradientCode(shape, given, output);
  const sums = [scale, bias].map((object) => parameters.writeSums(object));
  const { rows, length } = shape;
  const counted = hasZeroTail ? 'dy[e]' : `dy[e] * ${parameters.read({ kind: 'mask' })}[g]`;
  const all = `${start}
    v *const kept = ${parameters.write(accumulators)} + g * ${accumulators.stride};
    ${startSums('kept', 2 * length)}`;
  const add = `{ const v own = ${counted}; kept[e - begin] += own * normal; kept[e - begin + ${length}] += own; }`;
  const body = overRows(shape, all, row(add), finishSums('kept', sums, { rows, width: length }, target));
  const split = { ...byRows(shape), whole: new Set<StoredObject>([accumulators]) };
  return parameters.step('example_norm_gradient', 'group', body, { split });
}
