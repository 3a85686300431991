import { floatLiteral } from '../../emit/text.js';
import type { Table, Tensor } from '../../plan/objects.js';
import { Parameters } from '../../plan/parameters.js';
import type { Step } from '../../plan/step.js';

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

function overRows({ rows, length }: NormShape, start: string, body: string): string {
  return `for (long g = 0; g < groups; g++) {
    ${start}
    for (long r = 0; r < ${rows}; r++) {
      const long begin = r * ${length}, end = begin + ${length};
      ${body}
    }
  }`;
}

const affineIndex = ({ affine: { run, count } }: NormShape): string => `e / ${run} % ${count}`;

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
  const body = `v total = {0}, squares = {0};
    for (long e = begin; e < end; e++) total += x[e];
    const v middle = total * ${floatLiteral(1 / shape.length)};
    for (long e = begin; e < end; e++) { const v far = x[e] - middle; squares += far * far; }
    const v inverse = 1.0f / v_sqrt(squares * ${floatLiteral(1 / shape.length)} + ${floatLiteral(shape.epsilon)});
    means[r] = middle;
    inverses[r] = inverse;
    for (long e = begin; e < end; e++) y[e] = (x[e] - middle) * inverse * ${scale}[${affineIndex(shape)}]${shift};`;
  return parameters.step('example_norm', 'group', overRows(shape, start, body));
}

/** dx, and dy · (x - mean) · invStd of each element, whose sums are the gradient of scale. */
export function exampleNormGradient(
  shape: NormShape,
  given: { readonly gradient: Tensor; readonly input: Tensor; readonly scale: Table } & NormTensors,
  output: Tensor,
  products: Tensor,
): Step {
  const parameters = new Parameters();
  const { gradient, input, mean, invStd } = given;
  const [dy, x, means, inverses] = [gradient, input, mean, invStd].map((tensor) => parameters.read(tensor));
  const scale = parameters.readTable(given.scale);
  const [dx, terms] = [output, products].map((tensor) => parameters.write(tensor));
  const start = `const v *const dy = ${dy} + g * ${gradient.stride}, *const x = ${x} + g * ${input.stride};
    const v *const means = ${means} + g * ${mean.stride}, *const inverses = ${inverses} + g * ${invStd.stride};
    v *const dx = ${dx} + g * ${output.stride}, *const terms = ${terms} + g * ${products.stride};`;
  const body = `const v middle = means[r], inverse = inverses[r];
    v pull = {0}, lean = {0};
    for (long e = begin; e < end; e++) {
      const v upstream = dy[e] * ${scale}[${affineIndex(shape)}], normal = (x[e] - middle) * inverse;
      terms[e] = dy[e] * normal;
      pull += upstream;
      lean += upstream * normal;
    }
    pull *= ${floatLiteral(1 / shape.length)};
    lean *= ${floatLiteral(1 / shape.length)};
    for (long e = begin; e < end; e++) {
      const v upstream = dy[e] * ${scale}[${affineIndex(shape)}], normal = (x[e] - middle) * inverse;
      dx[e] = inverse * (upstream - pull - normal * lean);
    }`;
  return parameters.step('example_norm_gradient', 'group', overRows(shape, start, body));
}
