import type { Activation } from '../../../graph/activations/define.js';
import { gradientOperatorOf } from '../../../graph/activations/define.js';
import { numericFunction } from '../../../graph/activations/numeric.js';
import { activations as table } from '../../../graph/activations/table.js';
import type { Kernel } from '../tensor.js';
import { mapped, zipped } from '../tensor.js';

function kernelsOf([name, { formulas }]: [string, Activation]): [string, Kernel][] {
  return [
    [
      name,
      ([x], node) => {
        const value = numericFunction(formulas(node).value);
        return [mapped(x!, (at) => value(at, 0))];
      },
    ],
    [
      gradientOperatorOf(name),
      ([dy, at], node) => {
        const gradient = numericFunction(formulas(node).gradient);
        return [zipped(dy!, at!, (d, place) => gradient(place, d))];
      },
    ],
  ];
}

/** Kernels of the activations and of their gradient operators. */
export const activations: Readonly<Record<string, Kernel>> = Object.fromEntries(
  [...table].flatMap(kernelsOf),
);
