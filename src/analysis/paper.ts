/** Published errors of one experiment: one row of Table S1. Signs and units as in `RuleError`. */
export interface PaperErrors {
  /** Name in the paper. */
  readonly experiment: string;
  readonly totalErrorPercent: { readonly rungeKutta: number; readonly firstOrder: number };
  /** Nats. */
  readonly meanIterationError: { readonly rungeKutta: number; readonly firstOrder: number };
}

/** What the paper reports about one experiment. */
export interface PaperRecord extends PaperErrors {
  /** Iterations that its numbers are over (Section S8). */
  readonly iterations: number;
  /** Range of the percentage of parameters helping, averaged over iterations (Section 3). */
  readonly helpingPercent: { readonly from: number; readonly to: number };
  /** Percentage with exactly zero allocation (Section 3, footnote); null where none is given. */
  readonly zeroPercent: number | null;
}

/** Lan, Liu, Zhou and Yosinski: LCA: Loss Change Allocation for Neural Network Training. NeurIPS 2019, arXiv:1909.01440. */
export const paperCitation = 'Lan, Liu, Zhou and Yosinski, NeurIPS 2019 (arXiv:1909.01440)';

/** Experiment, total error in percent (RK4, first order), mean iteration error in nats (RK4, first order): Table S1. */
const tableS1: Readonly<Record<string, readonly [string, number, number, number, number]>> = {
  'mnist-fc-sgd-mom0': ['MNIST-FC, SGD mom=0', -0.27, -4249.64, 6.11e-5, 0.114],
  'mnist-fc-sgd': ['MNIST-FC, SGD', 1.08e-3, -171.1, 2.94e-6, 0.00459],
  'mnist-fc-adam': ['MNIST-FC, Adam', 3.64e-3, -75.31, 2.31e-6, 0.00199],
  'mnist-lenet-sgd': ['MNIST-LeNet, SGD', 1.87e-2, -274.84, 3.45e-6, 0.00838],
  'mnist-lenet-adam': ['MNIST-LeNet, Adam', 0.0262, -498.67, 2.3e-6, 0.01499],
  'cifar-resnet20-sgd': ['CIFAR-ResNet, SGD', 0.0345, -1189.71, 1.37e-5, 0.01018],
  'cifar-resnet20-adam': ['CIFAR-ResNet, Adam', 0.0537, -923.88, 1.07e-5, 0.00793],
  'cifar-allcnn-sgd': ['CIFAR-AllCNN, SGD', 0.1374, -1371.69, 4.51e-6, 0.00662],
  'cifar-allcnn-adam': ['CIFAR-AllCNN, Adam', 0.0745, -972.61, 2.77e-6, 0.00482],
};

/** Presets that the paper has numbers for. */
export const paperPresets: readonly string[] = Object.keys(tableS1);

/** The paper's numbers for a preset; null for anything that is not one of its experiments. */
export function paperRecord(preset: string): PaperRecord | null {
  if (!Object.hasOwn(tableS1, preset)) return null;
  const [experiment, total, totalFirst, mean, meanFirst] = tableS1[preset]!;
  return {
    experiment,
    iterations: preset.startsWith('cifar') ? 5000 : 880,
    totalErrorPercent: { rungeKutta: total, firstOrder: totalFirst },
    meanIterationError: { rungeKutta: mean, firstOrder: meanFirst },
    helpingPercent: { from: 50, to: preset.startsWith('cifar') ? 51 : 58 },
    zeroPercent: preset.startsWith('mnist-fc') ? 20 : null,
  };
}
