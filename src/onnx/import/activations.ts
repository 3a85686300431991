import type { Attributes, Value } from '../../graph/types.js';
import type { NodeContext, Translation, TranslationTable } from './context.js';

/** An activation of the same name here; its attributes are floats of the same name and default. */
function standard(...names: readonly string[]): Translation {
  return (c) => c.add(c.node.opType, [c.value(0)], floats(c, names));
}

function floats(c: NodeContext, names: readonly string[]): Attributes {
  const given = names.filter((name) => c.attributes.has(name));
  return Object.fromEntries(given.map((name) => [name, c.attributes.float(name, 0)]));
}

/** Bounds are inputs; one that is left out does not bind. */
function clip(c: NodeContext): Value {
  const bounds = ['min', 'max'].flatMap((name, k) => (c.has(k + 1) ? [[name, c.number(k + 1, 0)]] : []));
  return c.add('Clip', [c.value(0)], Object.fromEntries(bounds) as Attributes);
}

/** x where x > 0, else slope · x, as relu(x) - slope · relu(-x). */
function parametricRelu(c: NodeContext): Value {
  const x = c.value(0);
  const negative = c.add('Relu', [c.add('Neg', [x])]);
  return c.add('Sub', [c.add('Relu', [x]), c.add('Mul', [c.value(1), negative])]);
}

/** x · sigmoid(alpha · x) */
function swish(c: NodeContext): Value {
  const x = c.value(0);
  const alpha = c.attributes.float('alpha', 1);
  const scaled = alpha === 1 ? x : c.add('Mul', [x, c.scalar(alpha)]);
  return c.add('Mul', [x, c.add('Sigmoid', [scaled])]);
}

/** max(0, x) + min(0, alpha · (e^(x / alpha) - 1)), which is alpha · elu(x / alpha) for alpha > 0. */
function celu(c: NodeContext): Value {
  const alpha = c.scalar(c.attributes.float('alpha', 1));
  return c.add('Mul', [c.add('Elu', [c.add('Div', [c.value(0), alpha])]), alpha]);
}

export const activations: TranslationTable = {
  Relu: standard(),
  LeakyRelu: standard('alpha'),
  Elu: standard('alpha'),
  Selu: standard('alpha', 'gamma'),
  HardSwish: standard(),
  HardSigmoid: standard('alpha', 'beta'),
  Gelu: (c) => c.add('Gelu', [c.value(0)], { approximate: c.attributes.text('approximate', 'none') }),
  Clip: clip,
  PRelu: parametricRelu,
  Swish: swish,
  Celu: celu,
  Mish: (c) => c.add('Mul', [c.value(0), c.add('Tanh', [c.add('Softplus', [c.value(0)])])]),
  Softsign: (c) => c.add('Div', [c.value(0), c.add('Add', [c.add('Abs', [c.value(0)]), c.scalar(1)])]),
};
