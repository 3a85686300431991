/** A command of the plan, whose results stand in a folder of its own. */
export interface Step {
  /** Which part of the document it belongs to: what `--only` chooses. */
  readonly group: Group;
  /** Its folder below the place of all runs. */
  readonly name: string;
  /** Arguments of `lca` without `--out`. */
  readonly args: readonly string[];
  /** What is done of the paper's experiment, in words; null: all of it. */
  readonly reduced: string | null;
}

export const groups = ['fc', 'cnn', 'sections'] as const;
export type Group = (typeof groups)[number];

const fc = (preset: string): Step => ({
  group: 'fc',
  name: preset,
  args: ['run', preset, '--parts', 'class'],
  reduced: null,
});

/** A convolutional network on a subset; `size` are its examples, iterations, and where it differs its mini-batch. */
function cnn(preset: string, examples: number, iterations: number, batch?: number): Step {
  const size = ['--subset', String(examples), '--iterations', String(iterations)];
  const own = batch === undefined ? [] : ['--batch-size', String(batch)];
  return {
    group: 'cnn',
    name: preset,
    args: ['run', preset, ...size, ...own, '--measure', 'train'],
    reduced: `${examples} examples, ${iterations} iterations${batch === undefined ? '' : `, batches of ${batch}`}`,
  };
}

const sweep = (name: string, seeds: string): Step => ({
  group: 'sections',
  name,
  args: [
    'sweep', name, '--base', 'mnist-fc-sgd', '--subset', '1100', '--iterations', '100', '--measure', 'train', '--seeds', seeds,
  ],
  reduced: `mnist-fc-sgd in place of cifar-resnet20-sgd, 1,100 examples, 100 iterations, seeds ${seeds}`,
}); // prettier-ignore

/** Everything that the document is made from, cheapest groups first. */
export const steps: readonly Step[] = [
  fc('mnist-fc-sgd'),
  fc('mnist-fc-sgd-mom0'),
  fc('mnist-fc-adam'),
  cnn('mnist-lenet-sgd', 500, 60),
  cnn('cifar-resnet20-sgd', 500, 60),
  cnn('cifar-allcnn-sgd', 100, 10, 100),
  sweep('freeze-last-layer', '1,2,3'),
  sweep('last-layer-delay', '1'),
];

/** Commands that would run the rest of the paper in full. */
export const inFull: readonly (readonly string[])[] = [
  ['run', 'mnist-lenet-sgd'],
  ['run', 'cifar-resnet20-sgd'],
  ['run', 'cifar-allcnn-sgd'],
];
