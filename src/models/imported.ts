import { feedNameOf, type FurtherTransform, type InputTransform } from '../data/types.js';
import { GraphBuilder } from '../graph/builder.js';
import { sizeOf } from '../graph/types.js';
import type { Value } from '../graph/types.js';
import type { OnnxInput, OnnxModel } from '../onnx/index.js';
import { Layers } from './layers.js';
import type { Model } from './types.js';

/**
 * A network from an ONNX file as a model. Numbers are scaled as the data set's transform says; whole numbers, such as
 * tokens, are read as they are. Dropout is off in training too: a file does not say what its masks were.
 */
export function importedModel(network: OnnxModel, computesLoss = false): Model {
  const { name, inputShape, inputDType, outputShape, inputs } = network;
  return {
    name,
    inputShape,
    outputs: sizeOf(outputShape),
    outputShape,
    readsWholeNumbers: inputDType !== 'float32',
    further: inputs.slice(1).map((input) => ({
      name: input.name,
      shape: input.shape,
      readsWholeNumbers: input.dtype !== 'float32',
    })),
    computesLoss,
    build({ examples, transform }) {
      const builder = new GraphBuilder(name);
      const x = firstInput(builder, inputs[0]!, examples, transform);
      const others = inputs
        .slice(1)
        .map((input) => furtherInput(builder, input, examples, transform.further?.[input.name]));
      if (computesLoss) return builder.build(network.addLossTo(builder, [x, ...others]));
      return builder.build([network.addTo(builder, x, ...others)]);
    },
  };
}

function firstInput(
  builder: GraphBuilder,
  { shape, dtype }: OnnxInput,
  examples: number,
  transform: InputTransform,
): Value {
  if (dtype === 'float32') return new Layers(builder, {}).input(examples, shape, transform);
  const stored = builder.input('x', transform.dtype, [examples, ...shape]);
  return builder.apply('Cast', [stored], { to: dtype });
}

/** Stored as the network reads it unless the data say otherwise. */
function furtherInput(
  builder: GraphBuilder,
  { name, shape, dtype }: OnnxInput,
  examples: number,
  transform: FurtherTransform = { dtype: dtype === 'float32' ? 'float32' : 'int32', divisor: 1 },
): Value {
  const stored = builder.input(feedNameOf(name), transform.dtype, [examples, ...shape]);
  const cast = transform.dtype === dtype ? stored : builder.apply('Cast', [stored], { to: dtype });
  if (dtype !== 'float32' || transform.divisor === 1) return cast;
  return builder.apply('Div', [cast, builder.scalar(transform.divisor)]);
}
