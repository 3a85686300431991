import { activations } from './activations.js';
import { constants } from './constants.js';
import { computedLosses } from './losses.js';
import type { Translation } from '../context.js';
import { elementwise } from './elementwise.js';
import { products } from './linear.js';
import { normalizations } from './normalizations.js';
import { reductions } from './reductions.js';
import { padding } from './padding.js';
import { resizing } from './resize.js';
import { shapes } from './shapes.js';
import { windowed } from './windows.js';

/** How each supported operator of ONNX is written as nodes of our graph. */
export const translations: ReadonlyMap<string, Translation> = new Map(
  [
    constants,
    computedLosses,
    elementwise,
    activations,
    products,
    reductions,
    shapes,
    padding,
    resizing,
    windowed,
    normalizations,
  ].flatMap((table) => Object.entries(table)),
);
