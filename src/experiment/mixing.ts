import { gatherExamples } from '../data/shared.js';
import type { Dataset, Examples } from '../data/types.js';
import type { Reading } from '../formats/reading.js';
import { GraphBuilder } from '../graph/builder.js';
import { countedNode } from '../graph/mixing/constants.js';
import { mixingOf, type Mixing } from '../graph/mixing/index.js';
import { prune } from '../graph/prune.js';
import {
  byRunningStatistics,
  hasChunkStatistics,
  type StatisticsKind,
  withRunningStatistics,
} from '../graph/statistics.js';
import type { Graph, Value } from '../graph/types.js';
import { initialise } from '../models/initialise.js';
import type { Model } from '../models/types.js';
import { fold, key, uniform } from '../num/random.js';
import { sliceFeeds } from '../objective/feeds.js';
import { isChunkLoss, programOf } from './loss/own-loss.js';

/** Extents that are unlikely to be others of the network's. */
const telltale = 13;
const otherwise = 17;

/** What of a network makes the loss of an example depend on the others of its chunk. */
export interface ChunkMixing {
  /** Batch normalisation by the statistics of the chunk. */
  readonly normalises: boolean;
  /** Anything else; null: nothing. */
  readonly other: Mixing | null;
}

/** Who is told that a trial takes long, and after how many milliseconds for one example of it. */
export interface TrialControl {
  /** Default: nobody. */
  readonly tell?: ((what: string) => void) | undefined;
  readonly patience?: number;
}

/**
 * Finds out whether examples that are evaluated together depend on each other. Where the graph shows that they stay apart, they do; where
 * it leaves that open, as many products and lookups do, three examples are evaluated together and one by one.
 */
export async function chunkMixing(
  model: Model,
  dataset: Dataset,
  { tell, patience = 500 }: TrialControl = {},
): Promise<ChunkMixing> {
  const build = (examples: number): Graph =>
    model.build({ examples, training: false, transform: dataset.transform });
  const graph = build(telltale);
  const normalises = hasChunkStatistics(graph);
  // The sum that a network makes of its losses goes over examples, and is looked at elsewhere.
  const explained = new Set<Value>();
  const found = isChunkLoss(model)
    ? null
    : (mixingOf(graph, telltale, explained) ?? byCount(graph, build(otherwise), explained));
  if (found === null || found.certain) return { normalises, other: found };
  const { node } = found;
  const evaluated = (milliseconds: number, left: number): void => {
    if (milliseconds < patience) return;
    const seconds = Math.ceil((milliseconds * left) / 1000);
    tell?.(`Trying whether examples depend on the others of their chunk, which ${node.op} of node ${node.name} leaves open: about ${seconds} s.`); // prettier-ignore
  };
  return { normalises, other: (await areApart(build, dataset.splits.train, evaluated)) ? null : found };
}

/** A node to which it makes a difference how many examples are evaluated together. */
function byCount(graph: Graph, other: Graph, explained: Set<Value>): Mixing | null {
  const node = countedNode(graph, other, explained);
  return node === null ? null : { node, certain: false };
}

/** Whether the loss of an example depends on the others of its chunk, where batch normalisation uses those statistics. */
export function mixesExamples({ normalises, other }: ChunkMixing, statistics: StatisticsKind): boolean {
  return (normalises && statistics === 'chunk') || other !== null;
}

/** Rounding of float64 in the sums of a network, with much room. */
const rounding = 1e-9;

/**
 * Whether a network gives three examples together what it gives each alone; at its own parameters, and at some near them. `evaluated` hears how long the
 * first one took, and how many are left.
 */
async function areApart(
  build: (examples: number) => Graph,
  train: Examples,
  evaluated: (milliseconds: number, left: number) => void,
): Promise<boolean> {
  if (train.count < 2) return true;
  const places = Uint32Array.from(new Set([0, train.count >> 1, train.count - 1]));
  const examples = gatherExamples(train, places);
  const [one, all] = [sumOfSquares(build(1)), sumOfSquares(build(places.length))];
  const own = Float64Array.from(initialise(one.parameters, key(0)));
  const draws = uniform(fold(key(0), 'chunks'), own.length);
  let isFirst = true;
  const heard = (milliseconds: number): void => {
    if (isFirst) evaluated(milliseconds, 2 * places.length - 1);
    isFirst = false;
  };
  for (const spread of [0.1, 0]) {
    const theta = own.map((value, k) => value + spread * (2 * draws[k]! - 1));
    const alone = await sumOver(one, theta, examples, 1, heard);
    const difference = Math.abs((await sumOver(all, theta, examples, places.length)) - alone);
    // What is no number tells nothing.
    if (Number.isFinite(difference)) return difference <= rounding * alone;
  }
  return false;
}

/** The sum of a graph's output at θ [K] over examples, of which it takes so many at a time; `heard` is told how long each time took. */
async function sumOver(
  graph: Graph,
  theta: Float64Array,
  examples: Examples,
  size: number,
  heard: (milliseconds: number) => void = () => undefined,
): Promise<number> {
  const program = await programOf(graph, theta);
  let sum = 0;
  for (let start = 0; start < examples.count; start += size) {
    const began = performance.now();
    sum += await program.run(sliceFeeds(examples, start, start + size));
    heard(performance.now() - began);
  }
  await program.dispose();
  return sum;
}

/** The graph whose only output is the sum of the squares of its first; normalised by running statistics, by which no example depends on others. */
function sumOfSquares(built: Graph): Graph {
  const isTracked = built.parameters.some(({ layer }) => layer.endsWith('.statistics'));
  const forward = byRunningStatistics(isTracked ? built : withRunningStatistics(built));
  const builder = GraphBuilder.from(forward);
  const [output] = forward.outputs;
  const squares = builder.apply('Mul', [output!, output!]);
  return prune(builder.build([builder.apply('ReduceSum', [squares], { keepdims: 0 })]));
}

/**
 * What makes the loss of an example depend on the others of its chunk, and chunks in which that goes wrong: a last one of a single
 * example under batch normalisation, whose deviation is 0.
 */
export function chunkReadings(
  { normalises, other }: ChunkMixing,
  dataset: Dataset,
  measure: readonly string[],
  chunk: number,
): Reading[] {
  return [
    ...(normalises ? lonelyChunk(dataset, measure, chunk) : []),
    ...(other === null ? [] : [mixedExamples(other, chunk)]),
  ];
}

function lonelyChunk({ splits }: Dataset, measure: readonly string[], chunk: number): Reading[] {
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

function mixedExamples({ node, certain }: Mixing, chunk: number): Reading {
  return {
    about: 'chunks',
    decision: `the loss of an example depends on the others of its chunk of ${chunk}`,
    evidence: certain
      ? `${node.op} of node ${node.name} goes over the axis of examples`
      : `examples together give other outputs than one by one, and ${node.op} of node ${node.name} may bring them together; where that is not meant, look for axes that are another way round (batch_first) and for targets [N] beside outputs [N, 1]`,
    warning: true,
  };
}
