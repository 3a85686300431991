import { activations } from './activations.js';
import { constants } from './constants.js';
import { computedLosses } from './losses.js';
import type { Translation } from '../context.js';
import { elementwise } from './elementwise.js';
import { products } from './linear.js';
import { indexing } from './indexing.js';
import { normalizations } from './normalizations.js';
import { recurrentLayers } from './recurrent.js';
import { reductions } from './reductions.js';
import { selections } from './selections.js';
import { functions } from './functions.js';
import { gridSampling } from './spatial/grid-sample.js';
import { padding } from './spatial/padding.js';
import { resizing } from './spatial/resize.js';
import { shapes } from './shapes.js';
import { windowed } from './spatial/windows.js';

/** How each supported operator of ONNX is written as nodes of our graph. */
export const translations: ReadonlyMap<string, Translation> = new Map(
  [
    constants,
    computedLosses,
    elementwise,
    activations,
    functions,
    products,
    reductions,
    selections,
    indexing,
    recurrentLayers,
    shapes,
    padding,
    gridSampling,
    resizing,
    windowed,
    normalizations,
  ].flatMap((table) => Object.entries(table)),
);
