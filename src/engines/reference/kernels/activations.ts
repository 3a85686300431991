import { activationAttribute } from '../../../graph/activations.js';
import { stringAttribute } from '../../../graph/attributes.js';
import type { Node } from '../../../graph/types.js';
import type { Kernel } from '../tensor.js';
import { mapped, zipped } from '../tensor.js';
import { erf } from './erf.js';

/** A function of one number and its derivative, for the attributes of one node. */
interface Activation {
  readonly value: (x: number) => number;
  /** Where it has none, the convention of PyTorch. */
  readonly slope: (x: number) => number;
}

function leakyRelu(node: Node): Activation {
  const alpha = activationAttribute(node, 'alpha');
  return { value: (x) => (x >= 0 ? x : alpha * x), slope: (x) => (x > 0 ? 1 : alpha) };
}

function scaledElu(alpha: number, gamma: number): Activation {
  return {
    value: (x) => gamma * (x > 0 ? x : alpha * Math.expm1(x)),
    slope: (x) => gamma * (x > 0 ? 1 : alpha * Math.exp(x)),
  };
}

function hardSigmoid(node: Node): Activation {
  const alpha = activationAttribute(node, 'alpha');
  const beta = activationAttribute(node, 'beta');
  return {
    value: (x) => Math.min(Math.max(alpha * x + beta, 0), 1),
    slope: (x) => (alpha * x + beta > 0 && alpha * x + beta < 1 ? alpha : 0),
  };
}

const hardSwish: Activation = {
  value: (x) => x * Math.min(Math.max(x / 6 + 0.5, 0), 1),
  slope: (x) => (x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5),
};

const exactGelu: Activation = {
  value: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
  slope: (x) => (1 + erf(x / Math.SQRT2)) / 2 + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI),
};

const scale = Math.sqrt(2 / Math.PI);
/** tanh(√(2/π) · (x + 0.044715 x³)) */
const bent = (x: number): number => Math.tanh(x * (1 + x * x * 0.044715) * scale);

const tanhGelu: Activation = {
  value: (x) => (x / 2) * (1 + bent(x)),
  slope: (x) =>
    (1 + bent(x)) / 2 + (x / 2) * ((1 - bent(x) * bent(x)) * scale * (1 + x * x * (3 * 0.044715))),
};

function clip(node: Node): Activation {
  const min = activationAttribute(node, 'min');
  const max = activationAttribute(node, 'max');
  return { value: (x) => Math.min(Math.max(x, min), max), slope: (x) => (x >= min && x <= max ? 1 : 0) };
}

/** Of x; Relu's gradient operator is given y instead, which has the same sign. */
const relu: Activation = { value: (x) => Math.max(x, 0), slope: (y) => (y > 0 ? 1 : 0) };

const functions: Readonly<Record<string, (node: Node) => Activation>> = {
  Relu: () => relu,
  LeakyRelu: leakyRelu,
  Elu: (node) => scaledElu(activationAttribute(node, 'alpha'), 1),
  Selu: (node) => scaledElu(activationAttribute(node, 'alpha'), activationAttribute(node, 'gamma')),
  HardSwish: () => hardSwish,
  HardSigmoid: hardSigmoid,
  Gelu: (node) => (stringAttribute(node, 'approximate', 'none') === 'tanh' ? tanhGelu : exactGelu),
  Clip: clip,
};

function kernelsOf([name, activation]: [string, (node: Node) => Activation]): [string, Kernel][] {
  return [
    [name, ([x], node) => [mapped(x!, activation(node).value)]],
    [
      `${name}Grad`,
      ([dy, x], node) => {
        const { slope } = activation(node);
        return [zipped(dy!, x!, (d, at) => d * slope(at))];
      },
    ],
  ];
}

export const activations: Readonly<Record<string, Kernel>> = Object.fromEntries(
  Object.entries(functions).flatMap(kernelsOf),
);
