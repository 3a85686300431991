import type { Manifest } from '../../format/manifest.js';

/** What the loss takes the outputs of a network for, as its manifest tells. */
interface Taken {
  readonly as: string;
  /** Whether that follows from the activation that the network ends in, or from there being none: then nobody had to say it. */
  readonly isShown: boolean;
}

/** Kinds of outputs that the activation at a network's end makes, by loss. */
const shownKinds: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  softmaxCrossEntropy: { Softmax: 'probabilities', LogSoftmax: 'logProbabilities' },
  sigmoidCrossEntropy: { Sigmoid: 'probabilities' },
};

/** A loss that is −log p of what the network says, whether it ends in logits, probabilities or their logarithms. */
const ownLoss = 'the loss is −log p';

function takenOf({ config, readings }: Manifest): Taken {
  const said = (config['outputs'] ?? null) as string | null;
  const reading = readings.find(({ about }) => about === 'outputs of the network');
  // The loss's own softmax behind the network's: another function than −log p.
  if (reading?.decision.startsWith('taken for logits')) return { as: reading.decision, isShown: true };
  if (said === null) return { as: ownLoss, isShown: true };
  const ending = / ends in (\w+)$/.exec(reading?.evidence ?? '')?.[1] ?? '';
  const shown = shownKinds[config['loss'] as string]?.[ending];
  if (shown === said) return { as: ownLoss, isShown: true };
  return { as: `${said}, as given`, isShown: false };
}

/**
 * What a run's loss takes outputs for, to be compared with others: not what was said, but what was decided. What a user says of networks whose end
 * shows nothing is believed unless different things are said of several, which may be one network.
 */
export function outputsOf(manifest: Manifest, runs: readonly Manifest[]): string | null {
  const { config } = manifest;
  if (config['loss'] === 'squaredError' || config['loss'] === 'output') return null;
  const own = takenOf(manifest);
  if (own.isShown) return own.as;
  const given = new Set(runs.map(takenOf).filter(({ isShown }) => !isShown).map(({ as }) => as)); // prettier-ignore
  return given.size === 1 ? ownLoss : own.as;
}
