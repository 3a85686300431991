import { standardOperators } from '../../../onnx/standard/index.js';
import type { Lowering } from '../../../onnx/standard/lowering.js';
import { activationGradients } from './activations.js';
import { convolutionGradients } from './convolution-grad.js';
import { gatherGradients } from './gather-grad.js';
import { losses } from './loss.js';
import { reduceMax } from './maxima.js';
import { normalizations } from './normalization.js';
import { pools } from './pooling.js';
import { softmaxGradients } from './softmax-grad.js';

/**
 * How each operator of our graphs is run on ONNX Runtime: as a file would hold it, or where a table here has it, in a way
 * that the runtime is faster at, or that also gives what the gradient needs.
 */
export const lowerings: ReadonlyMap<string, Lowering> = new Map([
  ...standardOperators,
  ...[
    activationGradients,
    convolutionGradients,
    gatherGradients,
    losses,
    normalizations,
    pools,
    softmaxGradients,
  ].flatMap((table) => Object.entries(table)),
  ['ReduceMax', reduceMax],
]);
