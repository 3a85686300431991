import { defineModel } from './define.js';
import type { Model } from './types.js';

function fullyConnected(name: string, inputShape: readonly number[], widths: readonly number[]): Model {
  return defineModel({
    name,
    inputShape,
    outputs: widths.at(-1)!,
    forward: (layers, x) =>
      widths.reduce((value, width, index) => {
        const input = index === 0 ? layers.flatten(value) : layers.relu(value);
        return layers.dense(input, `fc${index + 1}`, width);
      }, x),
  });
}

/** MNIST-FC, 784-100-50-10 (S7): 84,060 parameters. */
export const mnistFc = fullyConnected('fc', [1, 28, 28], [100, 50, 10]);

const cifarImage = [3, 32, 32];

/** The adjustable fully connected networks on CIFAR-10, of 3, 4 and 5 layers. */
export const cifarFc3 = fullyConnected('fc3', cifarImage, [455, 67, 10]);
export const cifarFc4 = fullyConnected('fc4', cifarImage, [734, 175, 42, 10]);
export const cifarFc5 = fullyConnected('fc5', cifarImage, [977, 311, 99, 31, 10]);
