import type { LowerOperator } from '../lowering.js';
import { batchNorms } from './batch-norm.js';
import { convolutions } from './convolution.js';
import { elementwise } from './elementwise.js';
import { exampleNorms } from './example-norm.js';
import { gathers } from './gather.js';
import { losses } from './loss.js';
import { products } from './matrix.js';
import { moves } from './move.js';
import { pools } from './pool.js';
import { reductions } from './reduction.js';
import { shapes } from './shape.js';
import { softmaxes } from './softmax.js';

/** How each operator that the native engine knows, in some or all of its forms, becomes steps. */
export const operators: ReadonlyMap<string, LowerOperator> = new Map([
  ...elementwise,
  ...shapes,
  ...products,
  ...reductions,
  ...losses,
  ...convolutions,
  ...pools,
  ...batchNorms,
  ...moves,
  ...exampleNorms,
  ...softmaxes,
  ...gathers,
]);
