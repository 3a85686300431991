import type { Operator } from './define.js';
import { convolutions } from './convolution.js';
import { elementwise } from './elementwise.js';
import { indexing } from './indexing.js';
import { joining } from './joining.js';
import { losses } from './loss.js';
import { matrixOperators } from './matrix.js';
import { normalizations } from './normalization.js';
import { pools } from './pooling.js';
import { reductions } from './reduction.js';
import { shapeOperators } from './shape.js';

/** Every operator that a graph may contain, by name (docs/OPERATORS.md). */
export const operators: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ...elementwise,
  ...matrixOperators,
  ...reductions,
  ...shapeOperators,
  ...joining,
  ...indexing,
  ...convolutions,
  ...pools,
  ...normalizations,
  ...losses,
]);
