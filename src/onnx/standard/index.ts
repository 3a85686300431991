import { activations } from './activation.js';
import { elementwise } from './elementwise.js';
import { linear } from './linear.js';
import type { Lowering } from './lowering.js';
import { normalizations } from './normalization.js';
import { reductions } from './reduction.js';
import { shapes } from './shape.js';
import { windowed } from './windows.js';

/** How each operator of a model is written in standard ONNX; losses and whole gradient operators are not among them. */
export const standardOperators: ReadonlyMap<string, Lowering> = new Map(
  [elementwise, activations, linear, reductions, shapes, windowed, normalizations].flatMap((table) =>
    Object.entries(table),
  ),
);
