import type { RunConfigInput } from './config.js';

export interface Preset {
  readonly name: string;
  readonly description: string;
  readonly config: RunConfigInput;
}

const mnistFc = { model: 'fc', data: 'mnist', batchSize: 250, iterations: 880 } as const;

/** The paper's experiments (Section 2.1 and S7), by name. */
export const presets: readonly Preset[] = [
  {
    name: 'mnist-fc-sgd',
    description: 'MNIST, 784-100-50-10, SGD with momentum 0.9, learning rate 0.05',
    config: { ...mnistFc, optimizer: 'sgd', momentum: 0.9, learningRate: 0.05 },
  },
  {
    name: 'mnist-fc-sgd-mom0',
    description: 'MNIST, 784-100-50-10, SGD without momentum, learning rate 0.5',
    config: { ...mnistFc, optimizer: 'sgd', learningRate: 0.5 },
  },
  {
    name: 'mnist-fc-adam',
    description: 'MNIST, 784-100-50-10, Adam, learning rate 0.002',
    config: { ...mnistFc, optimizer: 'adam', learningRate: 0.002 },
  },
];
