import { differentiate } from '../autodiff/differentiate.js';
import { iterationsPerEpoch } from '../data/batches.js';
import { loadDataset } from '../data/load.js';
import type { Dataset, Examples } from '../data/types.js';
import type { Engine } from '../engines/types.js';
import { UsageError } from '../errors.js';
import { attachLoss } from '../graph/loss.js';
import type { Graph, Parameter } from '../graph/types.js';
import { layoutOf } from '../ledger/layout.js';
import type { MeasuredSplit, ParameterLayout } from '../ledger/types.js';
import { modelNamed } from '../models/registry.js';
import type { Model } from '../models/types.js';
import type { RunConfig } from './config.js';
import { chooseEngine } from './engines.js';
import { checkSettings } from '../quadrature/settings.js';
import { optimizerOf } from './optimizer.js';
import type { ObjectivePlan } from './objective/evaluator.js';

/** A configuration with all that it names brought together: data in memory, network, engine. */
export interface Experiment {
  readonly config: RunConfig;
  readonly dataset: Dataset;
  readonly model: Model;
  readonly engine: Engine;
  /** Better engines that `auto` passed over, each with its reason. */
  readonly passedOver: readonly string[];
  readonly parameters: readonly Parameter[];
  readonly layout: ParameterLayout;
  /** Examples of a chunk. */
  readonly chunk: number;
}

/** Loads and checks all that a configuration names; throws where it does not fit together. */
export async function openExperiment(config: RunConfig): Promise<Experiment> {
  const { model, chunk } = modelNamed(config.model);
  const dataset = await loadDataset(config.data, { seed: config.seed, subset: config.subset });
  requireInputShape(model, dataset);
  const { parameters } = forwardGraph(model, dataset, 1, false);
  const layout = layoutOf(parameters.map(({ value, layer, neuronAxis }) => ({ name: value.name, shape: value.shape, layer, neuronAxis }))); // prettier-ignore
  iterationsPerEpoch(dataset.splits.train.count, config.batchSize);
  optimizerOf(config, layout);
  checkSettings(config);
  const graph = () => gradientGraph({ model, dataset }, config.batchSize, true);
  const { engine, passedOver } = await chooseEngine(config.engine, graph);
  return { config, dataset, model, engine, passedOver, parameters, layout, chunk: config.chunk ?? chunk };
}

function requireInputShape({ name, inputShape }: Model, { name: data, splits }: Dataset): void {
  const { shape } = splits.train;
  if (shape.join() === inputShape.join()) return;
  throw new UsageError({
    given: `data set ${data} with examples of shape [${shape.join(', ')}]`,
    expected: `examples of shape [${inputShape.join(', ')}], which network ${name} takes`,
    remedy: 'choose a data set and a network that fit each other (data, model)',
  });
}

/** The graph of loss (a sum over its examples) and gradients for mini-batches or chunks of `examples`. */
export function gradientGraph(
  { model, dataset }: Pick<Experiment, 'model' | 'dataset'>,
  examples: number,
  training: boolean,
): Graph {
  const forward = forwardGraph(model, dataset, examples, training);
  return differentiate(attachLoss(forward, { loss: 'softmaxCrossEntropy' }));
}

function forwardGraph(model: Model, dataset: Dataset, examples: number, training: boolean): Graph {
  return model.build({ examples, training, transform: dataset.transform });
}

/** The objective that measuring evaluates; `engine` replaces the experiment's own (to check one by another). */
export function objectivePlan(experiment: Experiment, engine = experiment.engine.name): ObjectivePlan {
  const { config, dataset, layout, chunk } = experiment;
  const examples: Partial<Record<MeasuredSplit, Examples>> = {};
  for (const split of config.splits) examples[split] = dataset.splits[split];
  return {
    engine,
    size: layout.size,
    splits: config.splits,
    examples,
    chunk,
    lanes: config.lanes,
    gradientGraph: (count) => gradientGraph(experiment, count, false),
  };
}
