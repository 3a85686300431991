import { activationAttribute } from '../../../graph/activations.js';
import { stringAttribute } from '../../../graph/attributes.js';
import type { Node } from '../../../graph/types.js';
import type { Expression } from '../plan/expression.js';
import { apply, number } from '../plan/expression.js';

/** An activation function, and its slope times dy. */
interface Activation {
  readonly value: (x: Expression, node: Node) => Expression;
  readonly gradient: (dy: Expression, x: Expression, node: Node) => Expression;
}

const zero = number(0);
const one = number(1);
const add = (a: Expression, b: Expression): Expression => apply('add', a, b);
const subtract = (a: Expression, b: Expression): Expression => apply('subtract', a, b);
const times = (a: Expression, b: Expression | number): Expression =>
  apply('multiply', a, typeof b === 'number' ? number(b) : b);
const ifGreater = (a: Expression, b: Expression, yes: Expression, no: Expression): Expression =>
  apply('ifGreater', a, b, yes, no);

/** x within [min, max]; a NaN stays one. */
function clipped(x: Expression, min: number, max: number): Expression {
  return ifGreater(number(min), x, number(min), ifGreater(x, number(max), number(max), x));
}

const scaledElu = (gammaOf: (node: Node) => number): Activation => ({
  value: (x, node) =>
    times(
      ifGreater(x, zero, x, times(apply('exponentialLessOne', x), activationAttribute(node, 'alpha'))),
      gammaOf(node),
    ),
  gradient: (dy, x, node) =>
    times(
      ifGreater(x, zero, dy, times(dy, times(apply('exponential', x), activationAttribute(node, 'alpha')))),
      gammaOf(node),
    ),
});

/** alpha · x + beta */
const line = (x: Expression, node: Node): Expression =>
  add(times(x, activationAttribute(node, 'alpha')), number(activationAttribute(node, 'beta')));

const hardSigmoid: Activation = {
  value: (x, node) => clipped(line(x, node), 0, 1),
  gradient: (dy, x, node) => {
    const slope = ifGreater(one, line(x, node), times(dy, activationAttribute(node, 'alpha')), zero);
    return ifGreater(line(x, node), zero, slope, zero);
  },
};

const hardSwish: Activation = {
  value: (x) => times(x, clipped(add(times(x, 1 / 6), number(0.5)), 0, 1)),
  gradient: (dy, x) => {
    const inner = times(dy, add(times(x, 1 / 3), number(0.5)));
    return ifGreater(x, number(-3), ifGreater(number(3), x, inner, dy), zero);
  },
};

const clip: Activation = {
  value: (x, node) => clipped(x, activationAttribute(node, 'min'), activationAttribute(node, 'max')),
  gradient: (dy, x, node) => {
    const [min, max] = [activationAttribute(node, 'min'), activationAttribute(node, 'max')];
    return ifGreater(number(min), x, zero, ifGreater(x, number(max), zero, dy));
  },
};

/** 1 + erf(x / √2) */
const tailedness = (x: Expression): Expression => add(one, apply('errorFunction', times(x, Math.SQRT1_2)));

const exactGelu: Activation = {
  value: (x) => times(times(x, 0.5), tailedness(x)),
  gradient: (dy, x) => {
    const bell = apply('exponential', times(times(x, x), -0.5));
    const slope = add(times(tailedness(x), 0.5), times(times(x, bell), 1 / Math.sqrt(2 * Math.PI)));
    return times(dy, slope);
  },
};

const CUBIC = 0.044715;
const SCALE = Math.sqrt(2 / Math.PI);
/** tanh(√(2/π) · (x + 0.044715 x³)) */
const bent = (x: Expression): Expression =>
  apply('tanh', times(times(x, add(one, times(times(x, x), CUBIC))), SCALE));

const tanhGelu: Activation = {
  value: (x) => times(times(x, 0.5), add(one, bent(x))),
  gradient: (dy, x) => {
    const rise = times(subtract(one, times(bent(x), bent(x))), SCALE);
    const inner = times(rise, add(one, times(times(x, x), 3 * CUBIC)));
    return times(dy, add(times(add(one, bent(x)), 0.5), times(times(x, 0.5), inner)));
  },
};

const geluOf = (node: Node): Activation =>
  stringAttribute(node, 'approximate', 'none') === 'tanh' ? tanhGelu : exactGelu;
const gelu: Activation = {
  value: (x, node) => geluOf(node).value(x, node),
  gradient: (dy, x, node) => geluOf(node).gradient(dy, x, node),
};

/** By the name of the forward operator; its gradient operator has the same attributes. */
export const activations: Readonly<Record<string, Activation>> = {
  Elu: scaledElu(() => 1),
  Selu: scaledElu((node) => activationAttribute(node, 'gamma')),
  HardSigmoid: hardSigmoid,
  HardSwish: hardSwish,
  Clip: clip,
  Gelu: gelu,
};
