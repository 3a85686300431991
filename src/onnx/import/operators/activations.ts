import type { Activation } from '../../../graph/activations/define.js';
import { activations as table } from '../../../graph/activations/table.js';
import type { Attributes, Value } from '../../../graph/types.js';
import type { NodeContext, Translation, TranslationTable } from '../context.js';

/** An activation of the same name here; an attribute or input that is left out takes its default. */
function standard({ attributes, asInputs }: Activation): Translation {
  return (c) => {
    const given = Object.entries(attributes).flatMap(([name, kind], k) => {
      if (asInputs) return c.has(k + 1) ? [[name, c.number(k + 1, 0)]] : [];
      if (!c.attributes.has(name)) return [];
      return [
        [name, typeof kind === 'number' ? c.attributes.float(name, kind) : c.attributes.text(name, kind[0])],
      ];
    });
    return c.add(c.node.opType, [c.value(0)], Object.fromEntries(given) as Attributes);
  };
}

/** x where x > 0, else slope · x. Chosen, not added up, so that at 0 the slope is that of the negative side. */
function parametricRelu(c: NodeContext): Value {
  const x = c.value(0);
  return c.add('Where', [c.add('Greater', [x, c.scalar(0)]), x, c.add('Mul', [c.value(1), x])]);
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
  const given = c.attributes.float('alpha', 1);
  if (!(given > 0)) c.fail(`alpha ${given}`, 'alpha above 0');
  const alpha = c.scalar(given);
  return c.add('Mul', [c.add('Elu', [c.add('Div', [c.value(0), alpha])]), alpha]);
}

/** 0 within ±lambd, and what is outside of it moved towards 0 by `bias`. */
function shrink(c: NodeContext): Value {
  const [x, bias, lambd] = [c.value(0), c.attributes.float('bias', 0), c.attributes.float('lambd', 0.5)];
  const below = c.add('Add', [x, c.scalar(bias)]);
  const above = c.add('Sub', [x, c.scalar(bias)]);
  const inner = c.add('Where', [c.add('Greater', [x, c.scalar(lambd)]), above, c.scalar(0)]);
  return c.add('Where', [c.add('Less', [x, c.scalar(-lambd)]), below, inner]);
}

/** Whole numbers, such as labels of which some are -1, are bounded as the larger and the smaller of two. */
function clip(c: NodeContext): Value {
  const x = c.value(0);
  if (x.dtype === 'float32') return standard(table.get('Clip')!)(c) as Value;
  return (['Max', 'Min'] as const).reduce((bounded, op, k) => {
    return c.has(k + 1) ? c.add(op, [bounded, c.scalar(c.number(k + 1, 0), x.dtype)]) : bounded;
  }, x);
}

/** Activations of the table, and those that are written as compositions. */
export const activations: TranslationTable = {
  ...Object.fromEntries([...table].map(([name, entry]) => [name, standard(entry)])),
  Clip: clip,
  PRelu: parametricRelu,
  Swish: swish,
  Celu: celu,
  Shrink: shrink,
  Mish: (c) => c.add('Mul', [c.value(0), c.add('Tanh', [c.add('Softplus', [c.value(0)])])]),
  Softsign: (c) => c.add('Div', [c.value(0), c.add('Add', [c.add('Abs', [c.value(0)]), c.scalar(1)])]),
};
