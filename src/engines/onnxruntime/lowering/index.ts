import { activations } from './activation.js';
import { activationGradients } from './activation-grad.js';
import { convolutions } from './convolution.js';
import { elementwise } from './elementwise.js';
import { linear } from './linear.js';
import { losses } from './loss.js';
import type { Lowering } from './lowering.js';
import { normalizations } from './normalization.js';
import { pools } from './pooling.js';
import { reductions } from './reduction.js';
import { shapes } from './shape.js';

/** How each operator of our graphs is written in standard ONNX. */
export const lowerings: ReadonlyMap<string, Lowering> = new Map(
  [
    elementwise,
    activations,
    activationGradients,
    linear,
    reductions,
    shapes,
    convolutions,
    pools,
    normalizations,
    losses,
  ].flatMap((table) => Object.entries(table)),
);
