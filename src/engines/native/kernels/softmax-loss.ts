import { doubleLiteral, floatLiteral } from '../emit/text.js';
import type { Feed, Sums, Table, Tensor } from '../plan/objects.js';
import { Parameters } from '../plan/parameters.js';
import type { Step } from '../plan/step.js';

export interface SoftmaxLossOptions {
  readonly examples: number;
  /** Rows of logits, each with a label, of an example. */
  readonly positions: number;
  readonly classes: number;
  readonly logits: Tensor;
  readonly labels: Feed;
  /** Weight of each class [classes], if any. */
  readonly weights: Table | null;
  readonly smoothing: number;
  /** Factor of each example's loss: 1 for the sum, 1 / N for the mean. */
  readonly scale: number;
}

const softmax = (classes: number): string => `
  v top = z[0];
  for (long c = 1; c < ${classes}; c++) top = v_max(top, z[c]);
  v total = {0};`;

/** The example of lane l, its label and weight. A label that is no class gives a NaN, never an access outside. */
const example = (
  { examples, positions, classes }: SoftmaxLossOptions,
  labels: string,
  weights: string | null,
): string => `
  const long n = (first + g) * LANES + l;
  if (n >= ${examples}) break;
  const long given = ${labels}[${positions === 1 ? 'n' : `n * ${positions} + p`}];
  const long label = given >= 0 && given < ${classes} ? given : 0;
  const float weight = label == given ? ${weights === null ? '1.0f' : `${weights}[label]`} : NAN;`;

/** Loop over the rows of a group's examples. */
const overPositions = ({ positions }: SoftmaxLossOptions, body: string): string =>
  positions === 1 ? body : `for (long p = 0; p < ${positions}; p++) {\n${body}\n}`;

/** C code of the start of a row of logits. */
const rowOffset = ({ positions, classes }: SoftmaxLossOptions): string =>
  positions === 1 ? '' : ` + p * ${classes}L`;

/** C code of class c's weight, and of the sum of all. */
function classWeights(
  { classes }: SoftmaxLossOptions,
  weights: string | null,
): { readonly ofClass: string; readonly sum: string; readonly code: string } {
  if (weights === null) return { ofClass: '1.0f', sum: doubleLiteral(classes), code: '' };
  const code = `double all_weights = 0;
    for (long c = 0; c < ${classes}; c++) all_weights += ${weights}[c];`;
  return { ofClass: `${weights}[c]`, sum: 'all_weights', code };
}

/** Adds Σ over examples of the weighted cross-entropy, each term in double, to `loss` [1]. */
export function softmaxLoss(options: SoftmaxLossOptions, loss: Sums): Step {
  const { classes, logits, smoothing } = options;
  const parameters = new Parameters();
  const z = parameters.read(logits);
  const labels = parameters.feed(options.labels, 'int32_t');
  const weights = options.weights === null ? null : parameters.readTable(options.weights);
  const sum = parameters.writeSums(loss);
  const { ofClass, sum: weightSum, code } = classWeights(options, weights);
  const body = `double sum = 0;
    ${code}
    for (long g = 0; g < groups; g++) ${overPositions(
      options,
      `{
      const v *const z = ${z} + g * ${logits.stride}${rowOffset(options)};
      ${softmax(classes)}
      v all = {0};
      for (long c = 0; c < ${classes}; c++) { total += v_exp(z[c] - top); all += ${ofClass} * z[c]; }
      for (long l = 0; l < LANES; l++) {
        ${example(options, labels, weights)}
        const double reach = log(total[l]) + top[l];
        sum += ${doubleLiteral(1 - smoothing)} * weight * (reach - z[label][l]);
        sum += ${doubleLiteral(smoothing / classes)} * (${weightSum} * reach - all[l]);
      }
    }`,
    )}
    *${sum} += sum * ${doubleLiteral(options.scale)};`;
  return parameters.step('softmax_loss', 'group', body);
}

/** Gradient of that loss with respect to the logits. Zero in lanes without an example. */
export function softmaxLossGradient(options: SoftmaxLossOptions, output: Tensor): Step {
  const { classes, logits, smoothing } = options;
  const parameters = new Parameters();
  const z = parameters.read(logits);
  const labels = parameters.feed(options.labels, 'int32_t');
  const weights = options.weights === null ? null : parameters.readTable(options.weights);
  const out = parameters.write(output);
  const { ofClass, sum, code } = classWeights(options, weights);
  const spread = floatLiteral(smoothing / classes);
  const body = `${code}
    for (long g = 0; g < groups; g++) ${overPositions(
      options,
      `{
      const v *const z = ${z} + g * ${logits.stride}${rowOffset(options)};
      v *const y = ${out} + g * ${output.stride}${rowOffset(options)};
      ${softmax(classes)}
      for (long c = 0; c < ${classes}; c++) total += y[c] = v_exp(z[c] - top);
      v label_mass = {0}, scale = {0};
      long labelled[LANES] = {0};
      for (long l = 0; l < LANES; l++) {
        ${example(options, labels, weights)}
        labelled[l] = label;
        label_mass[l] = weight * ${floatLiteral(options.scale * (1 - smoothing))};
        scale[l] = ${floatLiteral(options.scale)};
      }
      const v mass = label_mass + scale * (float)(${doubleLiteral(smoothing / classes)} * ${sum});
      for (long c = 0; c < ${classes}; c++) y[c] = y[c] / total * mass - scale * (${spread} * ${ofClass});
      for (long l = 0; l < LANES; l++) y[labelled[l]][l] -= label_mass[l];
    }`,
    )}`;
  return parameters.step('softmax_loss_gradient', 'group', body);
}
