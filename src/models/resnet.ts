import type { Value } from '../graph/types.js';
import { defineModel } from './define.js';
import type { Layers } from './layers.js';
import type { Model } from './types.js';

/** Two 3x3 convolutions; the shortcut is the input itself, or a strided 1x1 convolution where the width changes (S7). */
function block(layers: Layers, x: Value, name: string, channels: number): Value {
  const widens = x.shape[1] !== channels;
  const stride = widens ? 2 : 1;
  const first = layers.conv(x, `${name}.conv1`, { channels, kernel: 3, stride });
  const hidden = layers.relu(layers.batchNorm(first, `${name}.bn1`));
  const second = layers.conv(hidden, `${name}.conv2`, { channels, kernel: 3 });
  const shortcut = widens ? layers.conv(x, `${name}.shortcut`, { channels, kernel: 1, stride }) : x;
  return layers.relu(layers.add(layers.batchNorm(second, `${name}.bn2`), shortcut));
}

function resNet20(name: string, inputShape: readonly number[]): Model {
  return defineModel({
    name,
    inputShape,
    outputs: 10,
    forward: (layers, x) => {
      let value = layers.relu(layers.batchNorm(layers.conv(x, 'conv1', { channels: 16, kernel: 3 }), 'bn1'));
      for (const [stage, channels] of [16, 32, 64].entries()) {
        for (const place of [1, 2, 3]) value = block(layers, value, `block${stage + 1}_${place}`, channels);
      }
      return layers.dense(layers.globalAveragePool(value), 'fc', 10);
    },
  });
}

/** CIFAR-ResNet20 (S7): 273,066 parameters, scale and shift of batch normalisation counted. */
export const cifarResNet20 = resNet20('resnet20', [3, 32, 32]);

/** The same on MNIST's single channel: 272,778 parameters. */
export const mnistResNet20 = resNet20('resnet20-mnist', [1, 28, 28]);
