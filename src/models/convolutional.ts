import type { Value } from '../graph/types.js';
import { defineModel } from './define.js';
import type { Layers } from './layers.js';

/** MNIST-LeNet (S7): 808,970 parameters. */
export const lenet = defineModel({
  name: 'lenet',
  inputShape: [1, 28, 28],
  outputs: 10,
  dropout: { 'dropout/conv2': 0.25, 'dropout/fc1': 0.5 },
  forward: (layers, x) => {
    const first = layers.maxPool(layers.relu(layers.conv(x, 'conv1', { channels: 20, kernel: 5 })));
    const second = layers.maxPool(layers.relu(layers.conv(first, 'conv2', { channels: 40, kernel: 5 })));
    const features = layers.flatten(layers.dropout(second, 'conv2'));
    const hidden = layers.dropout(layers.relu(layers.dense(features, 'fc1', 400)), 'fc1');
    return layers.dense(hidden, 'fc2', 10);
  },
});

/** One convolution of AllCNN and what follows it: batch normalisation, or, where it strides, dropout. */
interface AllCnnLayer {
  readonly channels: number;
  readonly kernel: number;
  readonly stride: 1 | 2;
}

const allCnnLayers: readonly AllCnnLayer[] = [
  { channels: 96, kernel: 3, stride: 1 },
  { channels: 96, kernel: 3, stride: 1 },
  { channels: 96, kernel: 3, stride: 2 },
  { channels: 192, kernel: 3, stride: 1 },
  { channels: 192, kernel: 3, stride: 1 },
  { channels: 192, kernel: 3, stride: 2 },
  { channels: 192, kernel: 3, stride: 1 },
  { channels: 192, kernel: 1, stride: 1 },
];

function allCnnLayer(layers: Layers, x: Value, layer: AllCnnLayer, number: number): Value {
  const convolved = layers.conv(x, `conv${number}`, layer);
  return layer.stride === 2
    ? layers.dropout(layers.relu(convolved), `conv${number}`)
    : layers.relu(layers.batchNorm(convolved, `bn${number}`));
}

/** CIFAR-AllCNN (S7): 1,371,658 parameters. */
export const allCnn = defineModel({
  name: 'allcnn',
  inputShape: [3, 32, 32],
  outputs: 10,
  dropout: { 'dropout/conv3': 0.5, 'dropout/conv6': 0.5 },
  forward: (layers, x) => {
    const features = allCnnLayers.reduce(
      (value, layer, index) => allCnnLayer(layers, value, layer, index + 1),
      x,
    );
    return layers.globalAveragePool(layers.conv(features, 'conv9', { channels: 10, kernel: 1 }));
  },
});

/** Channels of VGG-half's 3x3 convolutions; a pooling follows each inner list. */
const vggChannels = [[32], [64], [128, 128], [256, 256]];

/** VGG with half the channels, on CIFAR-10: 1,918,666 parameters. */
export const vggHalf = defineModel({
  name: 'vgg',
  inputShape: [3, 32, 32],
  outputs: 10,
  dropout: { 'dropout/fc1': 0.5, 'dropout/fc2': 0.5 },
  forward: (layers, x) => {
    let value = x;
    let number = 0;
    for (const stage of vggChannels) {
      for (const channels of stage) {
        value = layers.relu(layers.conv(value, `conv${++number}`, { channels, kernel: 3 }));
      }
      value = layers.maxPool(value);
    }
    value = layers.flatten(value);
    for (const name of ['fc1', 'fc2']) {
      value = layers.dropout(layers.relu(layers.dense(value, name, 512)), name);
    }
    return layers.dense(value, 'fc3', 10);
  },
});
