import type { Kernel } from '../tensor.js';
import { activations } from './activations.js';
import { convolutions } from './convolution.js';
import { elementwise } from './elementwise.js';
import { indexing } from './indexing.js';
import { losses } from './loss.js';
import { matrix } from './matrix.js';
import { normalizations } from './normalization.js';
import { pools } from './pooling.js';
import { reductions } from './reduction.js';
import { shapes } from './shape.js';

/** One kernel for every operator of docs/OPERATORS.md. */
export const kernels: ReadonlyMap<string, Kernel> = new Map(
  Object.entries({
    ...elementwise,
    ...activations,
    ...matrix,
    ...reductions,
    ...shapes,
    ...indexing,
    ...convolutions,
    ...pools,
    ...normalizations,
    ...losses,
  }),
);
