import { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/types.js';
import { Layers } from './layers.js';
import type { Model } from './types.js';

/** A network as its layers. */
export interface Definition extends Omit<Model, 'build'> {
  /** From the scaled input [N, …inputShape] to the logits [N, outputs]. */
  readonly forward: (layers: Layers, x: Value) => Value;
}

/** The model of a definition. */
export function defineModel({ forward, ...model }: Definition): Model {
  return {
    ...model,
    build: ({ examples, training, transform }) => {
      const builder = new GraphBuilder(model.name);
      const layers = new Layers(builder, training ? (model.dropout ?? {}) : {});
      return builder.build([forward(layers, layers.input(examples, model.inputShape, transform))]);
    },
  };
}
