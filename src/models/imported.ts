import { GraphBuilder } from '../graph/builder.js';
import { sizeOf } from '../graph/types.js';
import type { OnnxModel } from '../onnx/index.js';
import { Layers } from './layers.js';
import type { Model } from './types.js';

/**
 * A network from an ONNX file as a model. Numbers are scaled as the data set's transform says; whole numbers, such as
 * tokens, are read as they are. Dropout is off in training too: a file does not say what its masks were.
 */
export function importedModel(network: OnnxModel): Model {
  const { name, inputShape, inputDType, outputShape } = network;
  return {
    name,
    inputShape,
    outputs: sizeOf(outputShape),
    outputShape,
    readsWholeNumbers: inputDType !== 'float32',
    build({ examples, transform }) {
      const builder = new GraphBuilder(name);
      if (inputDType === 'float32') {
        const x = new Layers(builder, {}).input(examples, inputShape, transform);
        return builder.build([network.addTo(builder, x)]);
      }
      const stored = builder.input('x', transform.dtype, [examples, ...inputShape]);
      const x = builder.apply('Cast', [stored], { to: inputDType });
      return builder.build([network.addTo(builder, x)]);
    },
  };
}
