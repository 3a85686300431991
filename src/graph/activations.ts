import type { Application } from './application.js';
import { numberAttribute } from './attributes.js';

/** ONNX's defaults of the activations' attributes. */
const defaults: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  LeakyRelu: { alpha: 0.01 },
  Elu: { alpha: 1 },
  Selu: { alpha: 1.67326319217681884765625, gamma: 1.05070102214813232421875 },
  HardSigmoid: { alpha: 0.2, beta: 0.5 },
  Clip: { min: -Infinity, max: Infinity },
};

/** A number attribute of an activation or of its gradient operator, with the activation's default. */
export function activationAttribute(node: Application, name: string): number {
  return numberAttribute(node, name, defaults[node.op.replace(/Grad$/, '')]?.[name]);
}
