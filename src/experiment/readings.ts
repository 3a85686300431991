import type { Dataset } from '../data/types.js';
import { inputRange } from '../data/user/ranges.js';
import { UsageError } from '../errors.js';
import { furtherScaling, inputScaling, type Reading } from '../formats/reading.js';
import { doubtfulEnding, endingOf, withLogarithm, withoutEnding, type OutputKind } from '../graph/outputs.js';
import type { Graph } from '../graph/types.js';
import type { Model } from '../models/types.js';
import type { RunConfig } from './config/schema.js';

/** What a network's outputs are taken for, and how its graph becomes one that the loss takes. */
export interface OutputUse {
  readonly kind: OutputKind;
  /** The forward graph with logits as its output. */
  readonly toLogits: (forward: Graph) => Graph;
  readonly readings: readonly Reading[];
}

const about = 'outputs of the network';
const same = (forward: Graph): Graph => forward;

/**
 * What a network's outputs are: probabilities, where it ends in the activation that the loss contains; then the loss is that which
 * was trained, −log p. A configuration may say otherwise. Throws UsageError where the activation does not belong to the loss.
 */
export function outputUse({ loss, outputs }: RunConfig, forward: Graph, classAxis: number): OutputUse {
  const ending = endingOf(forward, classAxis);
  if (loss === 'squaredError' || loss === 'output') return { kind: 'logits', toLogits: same, readings: [] };
  const evidence =
    outputs === null
      ? `the network ends in ${ending?.op ?? 'no activation'}`
      : `outputs ${outputs}, as given${ending === null ? '' : `; the network ends in ${ending.op}`}`;
  if (outputs === null && ending === null) requireLogits(forward);
  const kind = outputs ?? kindOf(loss, ending?.op ?? null);
  const said = (decision: string, warning = false): Reading[] => [
    { about, decision, evidence, ...(warning ? { warning } : {}) },
  ];
  if (kind === 'logits') {
    if (ending === null) return { kind, toLogits: same, readings: [] };
    const twice = `taken for logits: the loss applies its own ${loss === 'softmaxCrossEntropy' ? 'softmax' : 'sigmoid'} after ${ending.op}`;
    return { kind, toLogits: same, readings: said(twice, true) };
  }
  if (kind === 'logProbabilities')
    return { kind, toLogits: same, readings: said('log probabilities: the loss is −log p') };
  const own = loss === 'softmaxCrossEntropy' ? 'Softmax' : 'Sigmoid';
  const toLogits = (graph: Graph): Graph => {
    const found = endingOf(graph, classAxis);
    if (found?.op === own) return withoutEnding(graph, found);
    return withLogarithm(graph, loss === 'softmaxCrossEntropy' ? 'log' : 'logOdds');
  };
  return {
    kind,
    toLogits,
    readings: said('probabilities: the loss is −log p, computed from what the activation is applied to'),
  };
}

/** Throws UsageError where a network without an activation at its end looks as if it made probabilities. */
function requireLogits(forward: Graph): void {
  const node = doubtfulEnding(forward);
  if (node === null) return;
  throw new UsageError({
    given: `a network whose outputs come out of ${node.op} (node ${node.name}), which may make probabilities or logits`,
    expected: 'to know which of them they are: the loss differs',
    remedy: 'say it with --outputs probabilities, --outputs logProbabilities or --outputs logits',
  });
}

/** What outputs are unless the user says: what the activation makes of them. Throws where it does not belong to the loss. */
function kindOf(loss: RunConfig['loss'], op: string | null): OutputKind {
  if (op === null) return 'logits';
  if (loss === 'softmaxCrossEntropy' && op === 'LogSoftmax') return 'logProbabilities';
  if ((loss === 'softmaxCrossEntropy') === (op === 'Softmax')) {
    if (op !== 'LogSoftmax') return 'probabilities';
  }
  throw new UsageError({
    given: `a network that ends in ${op} with the loss ${loss}`,
    expected:
      op === 'Sigmoid'
        ? '--loss sigmoidCrossEntropy, or squaredError'
        : '--loss softmaxCrossEntropy, or squaredError',
    remedy: 'choose that loss; or say what the outputs are with --outputs logits or probabilities',
  });
}

/** What was decided about the data, as far as the network uses it: whole numbers are not scaled, and a given divisor is used. */
export function dataReadings(
  { readings }: Dataset,
  { readsWholeNumbers = false, further = [] }: Model,
  { divisor }: Pick<RunConfig, 'divisor'>,
): Reading[] {
  return readings.flatMap((reading) => {
    const ranged = further.find(({ name }) => reading.about === inputRange(name));
    if (reading.about === inputRange() || ranged !== undefined)
      return (ranged?.readsWholeNumbers ?? readsWholeNumbers) ? [] : [reading];
    const input = further.find(({ name }) => reading.about === furtherScaling(name));
    if (reading.about !== inputScaling && input === undefined) return [reading];
    if (input?.readsWholeNumbers ?? readsWholeNumbers) return [];
    return divisor === null
      ? [reading]
      : [{ about: reading.about, decision: `divided by ${divisor}`, evidence: 'divisor, as given' }];
  });
}
