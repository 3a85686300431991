import type { RunConfigInput } from './schema.js';

export interface Preset {
  readonly name: string;
  readonly description: string;
  readonly config: RunConfigInput;
}

/** One optimiser that a network is trained with. */
interface Training {
  /** Completes the preset's name. */
  readonly suffix: string;
  readonly optimizer: 'sgd' | 'adam';
  readonly learningRate: number;
  /** Left out: momentum 0.9 for SGD, Adam's usual values. */
  readonly momentum?: number;
}

/** A network on its data, with each optimiser of the paper. */
interface Network {
  readonly name: string;
  /** Its layers, in words. */
  readonly layers: string;
  readonly model: string;
  readonly data: 'mnist' | 'cifar10';
  /** False: the paper states no learning rates for it, and the description says so. */
  readonly published: boolean;
  readonly trainings: readonly Training[];
}

/** Mini-batches of 250; 880 iterations are four epochs of MNIST's 55,000, 5,000 are 27.8 of CIFAR-10's 45,000 (Section 2.1, S7). */
const dataSettings = {
  mnist: { title: 'MNIST', iterations: 880 },
  cifar10: { title: 'CIFAR-10', iterations: 5000 },
} as const;

const sgd = (learningRate: number): Training => ({ suffix: 'sgd', optimizer: 'sgd', learningRate });
const adam = (learningRate: number): Training => ({ suffix: 'adam', optimizer: 'adam', learningRate });

const networks: readonly Network[] = [
  {
    name: 'mnist-fc', layers: '784-100-50-10', model: 'fc', data: 'mnist', published: true,
    trainings: [sgd(0.05), { ...sgd(0.5), suffix: 'sgd-mom0', momentum: 0 }, adam(0.002)],
  },
  { name: 'mnist-lenet', layers: 'LeNet', model: 'lenet', data: 'mnist', published: true, trainings: [sgd(0.02), adam(0.002)] },
  { name: 'cifar-resnet20', layers: 'ResNet-20', model: 'resnet20', data: 'cifar10', published: true, trainings: [sgd(0.1), adam(0.005)] },
  { name: 'cifar-allcnn', layers: 'AllCNN', model: 'allcnn', data: 'cifar10', published: true, trainings: [sgd(0.1), adam(0.001)] },
  { name: 'cifar-fc3', layers: '3072-455-67-10', model: 'fc3', data: 'cifar10', published: false, trainings: [sgd(0.05), adam(0.001)] },
  { name: 'cifar-fc4', layers: '3072-734-175-42-10', model: 'fc4', data: 'cifar10', published: false, trainings: [sgd(0.05), adam(0.001)] },
  { name: 'cifar-fc5', layers: '3072-977-311-99-31-10', model: 'fc5', data: 'cifar10', published: false, trainings: [sgd(0.05), adam(0.001)] },
  { name: 'cifar-vgg', layers: 'VGG with half the channels', model: 'vgg', data: 'cifar10', published: false, trainings: [sgd(0.02), adam(0.0005)] },
  { name: 'mnist-resnet20', layers: 'ResNet-20', model: 'resnet20-mnist', data: 'mnist', published: false, trainings: [sgd(0.1), adam(0.005)] },
]; // prettier-ignore

/** The paper's experiments (Section 2.1 and S7). */
const paperPresets: readonly Preset[] = networks.flatMap((network) =>
  network.trainings.map((training) => presetOf(network, training)),
);

/** A language model small enough to be measured whole: which layers learned which kinds of characters, and when. */
const tinyGpt: Preset = {
  name: 'tiny-gpt',
  description: 'Chapters of Moby-Dick by character, a GPT of 4 blocks, AdamW; parts by kind of character',
  config: {
    model: 'tiny-gpt',
    data: 'moby-dick',
    subset: 128,
    tolerance: 0.00003,
    batchSize: 32,
    iterations: 300,
    optimizer: 'adamw',
    learningRate: 0.003,
    weightDecay: 0.1,
    clipNorm: 1,
    schedule: { kind: 'linear', iterations: 300, floor: 0.1, warmUp: 30 },
    measure: ['train'],
    parts: ['tokens'],
  },
};

/** The paper's experiments, and a language model, by name. */
export const presets: readonly Preset[] = [...paperPresets, tinyGpt];

function presetOf(network: Network, { suffix, optimizer, learningRate, momentum }: Training): Preset {
  const { title, iterations } = dataSettings[network.data];
  const own = optimizer === 'sgd' ? (momentum ?? 0.9) : null;
  const words = own === null ? 'Adam' : own === 0 ? 'SGD without momentum' : `SGD with momentum ${own}`;
  const rate = `learning rate ${learningRate}${network.published ? '' : ' (the paper gives none)'}`;
  return {
    name: `${network.name}-${suffix}`,
    description: `${title}, ${network.layers}, ${words}, ${rate}`,
    config: {
      model: network.model,
      data: network.data,
      batchSize: 250,
      iterations,
      optimizer,
      learningRate,
      ...(own === null ? {} : { momentum: own }),
    },
  };
}
