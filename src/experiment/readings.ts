import type { Dataset } from '../data/types.js';
import { inputScaling } from '../data/user/read.js';
import type { Reading } from '../formats/reading.js';
import { mixingNode } from '../graph/outputs.js';
import type { Graph } from '../graph/types.js';
import type { Model } from '../models/types.js';
import type { RunConfig } from './config/schema.js';

/** What was decided about the data, as far as the network uses it: whole numbers are not scaled, and a given divisor is used. */
export function dataReadings(
  { readings }: Dataset,
  { readsWholeNumbers = false }: Model,
  { divisor }: Pick<RunConfig, 'divisor'>,
): Reading[] {
  return readings.flatMap((reading) => {
    if (reading.about !== inputScaling) return [reading];
    if (readsWholeNumbers) return [];
    return divisor === null
      ? [reading]
      : [{ ...reading, decision: `divided by ${divisor}`, evidence: 'divisor, as given' }];
  });
}

/** An extent that is unlikely to be another of the network's. */
const telltale = 13;

/**
 * What makes the loss of an example depend on the others of its chunk, and chunks in which that goes wrong: a last one of a single
 * example under batch normalisation, whose deviation is 0.
 */
export function chunkReadings(
  model: Model,
  dataset: Dataset,
  measure: readonly string[],
  chunk: number,
): Reading[] {
  const graph = model.build({ examples: telltale, training: false, transform: dataset.transform });
  return [...lonelyChunk(graph, dataset, measure, chunk), ...mixedExamples(graph, chunk)];
}

function lonelyChunk(
  graph: Graph,
  { splits }: Dataset,
  measure: readonly string[],
  chunk: number,
): Reading[] {
  if (
    !graph.nodes.some(
      ({ op, attributes }) => op === 'BatchNormalization' && attributes['training_mode'] !== 0,
    )
  )
    return [];
  const lonely = measure.filter((set) => splits[set]!.count % chunk === 1);
  if (lonely.length === 0) return [];
  return [
    {
      about: 'chunks',
      decision: `the last chunk of ${lonely.join(', ')} has a single example, which batch normalisation by chunk maps to its bias`,
      evidence: `${lonely.map((set) => splits[set]!.count).join(', ')} examples in chunks of ${chunk}; choose another --chunk`,
      warning: true,
    },
  ];
}

function mixedExamples(graph: Graph, chunk: number): Reading[] {
  const node = mixingNode(graph, telltale);
  if (node === null) return [];
  return [
    {
      about: 'chunks',
      decision: `the loss of an example depends on the others of its chunk of ${chunk}`,
      evidence: `${node.op} of node ${node.name} goes over the axis of examples`,
      warning: true,
    },
  ];
}
