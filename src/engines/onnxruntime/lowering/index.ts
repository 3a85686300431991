import { axisAttribute, intsAttribute } from '../../../graph/attributes.js';
import { dataTypeCode } from '../../../onnx/protobuf/dtypes.js';
import { standardOperators } from '../../../onnx/standard/index.js';
import type { Lowering, LoweringTable } from '../../../onnx/standard/lowering.js';
import { aroundAxis } from '../../../graph/shapes.js';
import { sizeOf } from '../../../graph/types.js';
import { activationGradients } from './activations.js';
import { averagePools } from './average-pool.js';
import { convolutionGradients } from './convolution-grad.js';
import { maxPools } from './max-pool.js';
import { reduceMax } from './maxima.js';
import { normalizations } from './normalization.js';
import { losses, softmaxGradients } from './softmax.js';

const gatherGradients: LoweringTable = {
  /** Sums where indices repeat. */
  GatherGrad: (emit, node, [dy, indices]) => {
    const shape = intsAttribute(node, 'input_shape');
    const [outer, , inner] = aroundAxis(shape, axisAttribute(node, shape.length, 0));
    const count = sizeOf(node.inputs[1]!.shape);
    const zeros = emit.add('Expand', [emit.constant('float32', [1], [0]), emit.ints(shape)]);
    const wide = emit.add('Cast', [indices!], { to: dataTypeCode('int64') });
    const column = emit.add('Reshape', [wide, emit.ints([1, count, 1])]);
    const places = emit.add('Expand', [column, emit.ints([outer, count, inner])]);
    const flat = [zeros, dy!].map((x) => emit.add('Reshape', [x, emit.ints([outer, -1, inner])]));
    const inputs = [flat[0]!, places, flat[1]!];
    const sums = emit.add('ScatterElements', inputs, { axis: 1, reduction: 'add' });
    return emit.add('Reshape', [sums, emit.ints(shape)]);
  },
};

/**
 * How each operator of our graphs is run on ONNX Runtime: as a file would hold it, or where a table here has it, in a way
 * that the runtime is faster at, or that also gives what the gradient needs.
 */
export const lowerings: ReadonlyMap<string, Lowering> = new Map([
  ...standardOperators,
  ...[
    activationGradients,
    averagePools,
    convolutionGradients,
    gatherGradients,
    losses,
    maxPools,
    normalizations,
    softmaxGradients,
  ].flatMap((table) => Object.entries(table)),
  ['ReduceMax', reduceMax],
]);
