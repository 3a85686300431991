import { differentiate } from '../autodiff/differentiate.js';
import type { Dataset } from '../data/types.js';
import { attachErrors, attachLoss } from '../graph/loss.js';
import { byRunningStatistics, hasChunkStatistics, statisticsGraph, type StatisticsKind } from '../graph/statistics.js'; // prettier-ignore
import type { Graph } from '../graph/types.js';
import type { Model } from '../models/types.js';
import type { RunConfig } from './config/schema.js';
import { lossOf } from './loss/loss.js';
import type { OutputUse } from './readings.js';

/** What graphs are made of. */
export interface GraphParts {
  readonly config: RunConfig;
  readonly model: Model;
  readonly dataset: Dataset;
  /** What the network's outputs are taken for. */
  readonly outputs: OutputUse;
}

/** The graphs that a run needs an engine for. */
export function neededGraphs(parts: GraphParts, chunk: number): Graph[] {
  const { trajectory, batchSize, statistics } = parts.config;
  return [
    trajectory === null ? gradientGraph(parts, batchSize, true) : gradientGraph(parts, chunk, false),
    ...(statistics.includes('running')
      ? [gradientGraph(parts, chunk, false, false, 'running'), batchStatisticsGraph(parts, batchSize)]
      : []),
  ];
}

/** Graphs that it has to know, too: of chunks, and of what is left of the examples of each set behind the last whole one. */
export function furtherGraphs(parts: GraphParts, chunk: number): Graph[] {
  const sets = Object.values(parts.dataset.splits).map(({ count }) => count);
  const sizes = new Set([chunk, ...sets.map((count) => count % chunk)].filter((size) => size > 0));
  return [...sizes].map((size) => gradientGraph(parts, size, false));
}

/** The graph of the statistics of a mini-batch (see `statisticsGraph`), of a network that keeps running ones. */
export function batchStatisticsGraph({ model, dataset }: GraphParts, examples: number): Graph {
  return statisticsGraph(forwardGraph(model, dataset, examples, true));
}

/**
 * The graph of loss (a sum over its examples) and gradients for mini-batches or chunks of `examples`, not all of which count if `masked`.
 */
export function gradientGraph(
  { config, model, dataset, outputs }: GraphParts,
  examples: number,
  training: boolean,
  masked = false,
  statistics: StatisticsKind = 'chunk',
): Graph {
  const built = forwardGraph(model, dataset, examples, training);
  const forward = outputs.toLogits(statistics === 'running' ? byRunningStatistics(built) : built);
  return differentiate(attachLoss(forward, { ...lossOf(config, dataset.labelling), masked }));
}

/** The graph of the number of wrong labels in chunks of `examples` (see `attachErrors`). */
export function errorGraph(
  { config, model, dataset, outputs }: GraphParts,
  examples: number,
  statistics: StatisticsKind = 'chunk',
): Graph {
  const built = forwardGraph(model, dataset, examples, false);
  const forward = outputs.toLogits(statistics === 'running' ? byRunningStatistics(built) : built);
  return attachErrors(forward, lossOf(config, dataset.labelling));
}

function forwardGraph(model: Model, dataset: Dataset, examples: number, training: boolean): Graph {
  return model.build({ examples, training, transform: dataset.transform });
}

/** Whose statistics batch normalisation uses where the loss is measured. */
export function batchNormMode({
  model,
  dataset,
}: Pick<GraphParts, 'model' | 'dataset'>): 'chunk' | 'running' | 'none' {
  const graph = forwardGraph(model, dataset, 2, false);
  if (graph.nodes.some(({ op }) => op === 'BatchNormalization')) return 'running';
  return hasChunkStatistics(graph) ? 'chunk' : 'none';
}
