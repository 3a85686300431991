import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../test/support/samples.js';
import { evaluate } from '../engines/reference/evaluate.js';
import { feedTensors, parameterTensors } from '../engines/reference/bind.js';
import { GraphError } from '../errors.js';
import { importedModel } from '../models/imported.js';
import { modelNamed, modelNames } from '../models/registry.js';
import { GraphBuilder } from '../graph/builder.js';
import { attachLoss } from '../graph/loss.js';
import type { Graph } from '../graph/types.js';
import { parameterCount, sizeOf } from '../graph/types.js';
import { inspectOnnx, readOnnx, writeOnnx } from './index.js';

const transform = { dtype: 'float32', divisor: 1, mean: [], std: [] } as const;

function uniform(count: number, seed: number): Float64Array {
  const random = randomFrom(seed);
  return Float64Array.from({ length: count }, () => Math.fround((random() - 0.5) / 5));
}

/** Logits of a network for given inputs, by the reference engine. */
function logits(graph: Graph, theta: Float64Array, x: Float64Array): Float64Array {
  const feeds = { x: Float32Array.from(x) };
  const bound = new Map([...parameterTensors(graph, theta), ...feedTensors(graph, feeds)]);
  return evaluate(graph, bound)[0]!.data;
}

describe('writeOnnx', () => {
  it.each(modelNames.filter((name) => !['allcnn', 'vgg', 'tiny-gpt'].includes(name)))(
    'writes %s so that it reads back as the same network, for another chunk size',
    (name) => {
      const { model } = modelNamed(name);
      const build = (examples: number) => model.build({ examples, training: false, transform });
      const theta = uniform(parameterCount(build(1).parameters), 1);
      const imported = importedModel(readOnnx(writeOnnx(build(4), theta)));
      expect(imported).toMatchObject({ inputShape: model.inputShape, outputs: model.outputs });
      const [expected, actual] = [build(2), imported.build({ examples: 2, training: false, transform })];
      const describeParameter = ({ value, layer, neuronAxis }: Graph['parameters'][number]) => ({
        name: value.name,
        shape: value.shape,
        layer,
        neuronAxis,
      });
      expect(actual.parameters.map(describeParameter)).toEqual(expected.parameters.map(describeParameter));
      const x = uniform(2 * sizeOf(model.inputShape), 2);
      expect(logits(actual, theta, x)).toEqual(logits(expected, theta, x));
    },
  );

  it('stores θ, which becomes the starting point of the imported parameters', () => {
    const builder = new GraphBuilder('line');
    const x = builder.input('x', 'float32', [3, 2]);
    const options = { layer: 'line', neuronAxis: 0, initializer: { kind: 'zeros' } } as const;
    const w = builder.parameter('line.weight', [2, 2], options);
    const bytes = writeOnnx(
      builder.build([builder.apply('Gemm', [x, w], { transB: 1 })]),
      Float64Array.of(1, 2, 3, 0.1),
    );
    const graph = importedModel(readOnnx(bytes)).build({ examples: 5, training: false, transform });
    const data = Float32Array.of(1, 2, 3, 0.1);
    expect(graph.parameters[0]!.initializer).toEqual({ kind: 'values', data });
    expect(inspectOnnx(bytes)).toMatchObject({ parameters: 4, problem: null, warnings: [] });
  });

  it('refuses a graph with a loss, and a θ of another length', () => {
    const builder = new GraphBuilder('loss');
    const x = builder.input('x', 'float32', [3, 2]);
    const whole = attachLoss(builder.build([x]), { loss: 'softmaxCrossEntropy' });
    expect(() => writeOnnx(whole, new Float64Array(0))).toThrow(GraphError);
    expect(() => writeOnnx(builder.build([x]), new Float64Array(3))).toThrow(/3 numbers/);
  });
});
