import { describe, expect, it } from 'vitest';
import { differentiate } from '../../src/autodiff/index.js';
import { referenceEngine } from '../../src/engines/reference/index.js';
import { GraphBuilder } from '../../src/graph/builder.js';
import { attachLoss } from '../../src/graph/loss.js';
import type { Graph, Shape, Value } from '../../src/graph/types.js';
import { parameterCount } from '../../src/graph/types.js';
import type { GoldenName } from '../support/golden.js';
import { golden, goldenAbsent, goldenHere, mnistHead, relativeDeviation } from '../support/golden.js';

/** The layers of the golden networks, written down from their description, with PyTorch's parameter names. */
class Network {
  readonly #builder: GraphBuilder;
  readonly input: Value;

  constructor(name: GoldenName, examples: number) {
    this.#builder = new GraphBuilder(name);
    const pixels = this.#builder.input('x', 'uint8', [examples, 1, 28, 28]);
    const numbers = this.apply('Cast', [pixels], { to: 'float32' });
    this.input = this.apply('Div', [numbers, this.#builder.scalar(255)]);
  }

  #parameter(layer: string, kind: string, shape: Shape): Value {
    const options = { layer, neuronAxis: 0, initializer: { kind: 'zeros' } } as const;
    return this.#builder.parameter(`${layer}.${kind}`, shape, options);
  }

  conv(x: Value, name: string, channels: number, kernel: number, stride = 1): Value {
    const weight = this.#parameter(name, 'weight', [channels, x.shape[1]!, kernel, kernel]);
    const bias = this.#parameter(name, 'bias', [channels]);
    const pads = new Array<number>(4).fill((kernel - 1) / 2);
    return this.apply('Conv', [x, weight, bias], { strides: [stride, stride], pads });
  }

  batchNorm(x: Value, name: string): Value {
    const channels = [x.shape[1]!];
    const affine = ['weight', 'bias'].map((kind) => this.#parameter(name, kind, channels));
    return this.apply('BatchNormTraining', [x, ...affine], { epsilon: 1e-5 });
  }

  dense(x: Value, name: string, outputs: number): Value {
    const weight = this.#parameter(name, 'weight', [outputs, x.shape[1]!]);
    const bias = this.#parameter(name, 'bias', [outputs]);
    return this.apply('Gemm', [x, weight, bias], { transB: 1 });
  }

  pool(x: Value): Value {
    return this.apply('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] });
  }

  apply(...given: Parameters<GraphBuilder['apply']>): Value {
    return this.#builder.apply(...given);
  }

  relu(x: Value): Value {
    return this.apply('Relu', [x]);
  }

  gradient(logits: Value): Graph {
    const forward = this.#builder.build([logits]);
    return differentiate(attachLoss(forward, { loss: 'softmaxCrossEntropy' }));
  }
}

function mlp(net: Network): Value {
  const hidden1 = net.relu(net.dense(net.apply('Flatten', [net.input]), '1', 100));
  return net.dense(net.relu(net.dense(hidden1, '3', 50)), '5', 10);
}

function cnn(net: Network): Value {
  const hidden1 = net.pool(net.relu(net.conv(net.input, '0', 4, 5)));
  const hidden2 = net.pool(net.relu(net.conv(hidden1, '3', 8, 5)));
  const hidden3 = net.relu(net.dense(net.apply('Flatten', [hidden2]), '7', 32));
  return net.dense(hidden3, '9', 10);
}

function block(net: Network, x: Value, name: string, channels: number, stride: number): Value {
  const hidden = net.relu(net.batchNorm(net.conv(x, `${name}.c1`, channels, 3, stride), `${name}.b1`));
  const branch = net.batchNorm(net.conv(hidden, `${name}.c2`, channels, 3), `${name}.b2`);
  const shortcut = stride === 1 ? x : net.conv(x, `${name}.sc`, channels, 1, stride);
  return net.relu(net.apply('Add', [branch, shortcut]));
}

function resnet(net: Network): Value {
  const stem = net.relu(net.batchNorm(net.conv(net.input, '0', 4, 3), '1'));
  const top = block(net, block(net, stem, '3', 4, 1), '4', 8, 2);
  return net.dense(net.apply('Flatten', [net.apply('GlobalAveragePool', [top])]), '7', 10);
}

/** Loss and gradient at the first θ, as means over the case's examples. */
async function measure(name: GoldenName, forward: (net: Network) => Value) {
  const { definition, tensors } = golden(name);
  const { examples, batchStatisticsChunk: chunk } = definition;
  const net = new Network(name, chunk);
  const graph = net.gradient(forward(net));
  const size = parameterCount(graph.parameters);
  const program = await referenceEngine.compile(graph);
  program.load(Float64Array.from(tensors['theta']!.subarray(0, size)));
  const { images, labels } = mnistHead(examples);
  const sum = new Float64Array(size);
  let loss = 0;
  for (let start = 0; start < examples; start += chunk) {
    const x = images.subarray(784 * start, 784 * (start + chunk));
    loss += await program.run({ x, labels: labels.subarray(start, start + chunk) }, sum);
  }
  return { graph, definition, tensors, loss: loss / examples, gradient: sum.map((part) => part / examples) };
}

/** Bounds relative to the largest component; the biases before batch normalisation have a gradient of rounding only. */
const cases = [
  { name: 'mlp', forward: mlp, bound: 1e-14 },
  { name: 'cnn', forward: cnn, bound: 1e-14 },
  { name: 'resnet', forward: resnet, bound: 1e-12 },
] as const;

describe('the reference engine and reverse mode', () => {
  it.for(cases)('agree with the golden case $name', async ({ name, forward, bound }, { skip }) => {
    skip(!goldenHere(name), goldenAbsent);
    const { graph, definition, tensors, loss, gradient } = await measure(name, forward);
    expect(graph.parameters.map(({ value }) => ({ name: value.name, shape: value.shape }))).toEqual(
      definition.params,
    );
    expect(Math.abs(loss / tensors['loss']![0]! - 1)).toBeLessThan(bound);
    expect(relativeDeviation(gradient, tensors['grad0']!)).toBeLessThan(bound);
  });
});
