import { differentiate } from '../src/autodiff/index.js';
import { GraphBuilder } from '../src/graph/builder.js';
import { attachLoss } from '../src/graph/loss.js';
import type { Graph, Value } from '../src/graph/types.js';

/** The networks of the paper, as the gradient benchmarks measure them. */
export const networkNames = ['fc', 'lenet', 'resnet20', 'allcnn', 'vgg'] as const;
export type NetworkName = (typeof networkNames)[number];

class Network {
  readonly builder: GraphBuilder;
  #count = 0;

  constructor(name: string) {
    this.builder = new GraphBuilder(name);
  }

  parameter(name: string, shape: number[], fanIn: number): Value {
    const initializer = fanIn > 0 ? ({ kind: 'heNormal', fanIn } as const) : ({ kind: 'zeros' } as const);
    return this.builder.parameter(`${name}${this.#count++}`, shape, {
      layer: name,
      neuronAxis: 0,
      initializer,
    });
  }

  dense(x: Value, outputs: number): Value {
    const inputs = x.shape[1]!;
    const weight = this.parameter('weight', [outputs, inputs], inputs);
    return this.builder.apply('Gemm', [x, weight, this.parameter('bias', [outputs], 0)], { transB: 1 });
  }

  conv(x: Value, outputs: number, size: number, stride = 1): Value {
    const inputs = x.shape[1]!;
    const weight = this.parameter('kernel', [outputs, inputs, size, size], inputs * size * size);
    const pad = Math.floor(size / 2);
    return this.builder.apply('Conv', [x, weight, this.parameter('bias', [outputs], 0)], {
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
    });
  }

  norm(x: Value): Value {
    const channels = x.shape[1]!;
    const scale = this.builder.parameter(`scale${this.#count++}`, [channels], {
      layer: 'norm',
      neuronAxis: 0,
      initializer: { kind: 'ones' },
    });
    return this.builder.apply('BatchNormTraining', [x, scale, this.parameter('shift', [channels], 0)]);
  }

  relu(x: Value): Value {
    return this.builder.apply('Relu', [x]);
  }

  maxPool(x: Value): Value {
    return this.builder.apply('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] });
  }

  flatten(x: Value): Value {
    return this.builder.apply('Flatten', [x]);
  }

  globalPool(x: Value): Value {
    return this.flatten(this.builder.apply('GlobalAveragePool', [x]));
  }

  /** The input: bytes, scaled to [0, 1]. */
  image(examples: number, shape: number[]): Value {
    const bytes = this.builder.input('x', 'uint8', [examples, ...shape]);
    const numbers = this.builder.apply('Cast', [bytes], { to: 'float32' });
    return this.builder.apply('Div', [numbers, this.builder.scalar(255)]);
  }
}

function fc(net: Network, examples: number): Value {
  let x = net.flatten(net.image(examples, [1, 28, 28]));
  x = net.relu(net.dense(x, 100));
  return net.dense(net.relu(net.dense(x, 50)), 10);
}

function lenet(net: Network, examples: number): Value {
  let x = net.image(examples, [1, 28, 28]);
  x = net.maxPool(net.relu(net.conv(x, 20, 5)));
  x = net.maxPool(net.relu(net.conv(x, 40, 5)));
  return net.dense(net.relu(net.dense(net.flatten(x), 400)), 10);
}

function residual(net: Network, x: Value, channels: number, stride: number): Value {
  const y = net.norm(net.conv(net.relu(net.norm(net.conv(x, channels, 3, stride))), channels, 3));
  const shortcut = x.shape[1] === channels ? x : net.conv(x, channels, 1, stride);
  return net.relu(net.builder.apply('Add', [y, shortcut]));
}

function resnet20(net: Network, examples: number): Value {
  let x = net.relu(net.norm(net.conv(net.image(examples, [3, 32, 32]), 16, 3)));
  for (const channels of [16, 32, 64]) {
    for (let block = 0; block < 3; block++) {
      x = residual(net, x, channels, block === 0 && channels !== 16 ? 2 : 1);
    }
  }
  return net.dense(net.globalPool(x), 10);
}

function allcnn(net: Network, examples: number): Value {
  const block = (x: Value, channels: number, size = 3): Value =>
    net.relu(net.norm(net.conv(x, channels, size)));
  let x = net.image(examples, [3, 32, 32]);
  x = net.conv(block(block(x, 96), 96), 96, 3, 2);
  x = net.conv(block(block(x, 192), 192), 192, 3, 2);
  return net.globalPool(net.conv(block(block(x, 192), 192, 1), 10, 1));
}

function vgg(net: Network, examples: number): Value {
  let x = net.image(examples, [3, 32, 32]);
  for (const [channels, pooled] of [
    [32, true],
    [64, true],
    [128, false],
    [128, true],
    [256, false],
    [256, true],
  ] as const) {
    x = net.relu(net.conv(x, channels, 3));
    if (pooled) x = net.maxPool(x);
  }
  x = net.relu(net.dense(net.flatten(x), 512));
  return net.dense(net.relu(net.dense(x, 512)), 10);
}

const builders = { fc, lenet, resnet20, allcnn, vgg };

/** Loss and gradient of a network on a chunk of examples, in the input `x` as bytes and `labels`. */
export function gradientGraph(name: NetworkName, examples: number): Graph {
  const net = new Network(name);
  const logits = builders[name](net, examples);
  return differentiate(attachLoss(net.builder.build([logits]), { loss: 'softmaxCrossEntropy' }));
}
