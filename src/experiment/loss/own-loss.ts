import { plainChunks } from '../../objective/chunks.js';
import { sliceFeeds } from '../../objective/feeds.js';
import { engineNamed } from '../../engines/registry.js';
import type { Program } from '../../engines/types.js';
import type { Dataset, Examples } from '../../data/types.js';
import { UsageError } from '../../errors.js';
import type { Reading } from '../../formats/reading.js';
import { attachLoss } from '../../graph/loss.js';
import { GraphBuilder } from '../../graph/builder.js';
import { prune } from '../../graph/prune.js';
import type { Graph, Value } from '../../graph/types.js';
import { initialise } from '../../models/initialise.js';
import type { Model } from '../../models/types.js';
import type { RunConfig } from '../config/schema.js';
import { key } from '../../num/random.js';

/** What was found out about the loss that a network computes itself. */
export interface OwnLoss {
  /** What the sum of losses is divided by, of each set by name; null: the number of examples. */
  readonly divisors: Readonly<Record<string, number>> | null;
  readonly readings: readonly Reading[];
}

/** Whether a network's loss is one number for a whole chunk. */
export function isChunkLoss({ computesLoss = false, outputShape }: Model): boolean {
  return computesLoss && outputShape?.length === 0;
}

/**
 * Weighs the loss that a network computes: by its output `weight`, summed over each of `sets` in chunks, or by the number of examples.
 * A loss of a whole chunk must be a sum over its examples, which is tried on the first of them. Throws UsageError where it is not one,
 * or where weights depend on the parameters, so that the mean would be no mean of fixed weights.
 */
export async function weighOwnLoss(
  model: Model,
  dataset: Dataset,
  sets: readonly string[],
  chunk: number,
): Promise<OwnLoss> {
  const build = (examples: number) =>
    model.build({ examples, training: false, transform: dataset.transform });
  const { outputs } = build(2);
  if (isChunkLoss(model)) await requireSum(build, dataset.splits.train, model.name);
  const evidence = '--loss output, as given';
  if (outputs.length === 1) {
    const decision = 'the network’s own: the mean over examples of its first output, the loss of each';
    return { divisors: null, readings: [{ about: 'loss', decision, evidence }] };
  }
  requireFixedWeights(weightGraph(build(1)), model.name);
  await requireWeighed(build, dataset.splits.train, model.name);
  const divisors: Record<string, number> = {};
  for (const set of sets) divisors[set] = await weightOf(build, dataset.splits[set]!, chunk, set);
  const weights = Object.entries(divisors).map(([set, total]) => `${total} of ${set}`);
  const decision = `the network’s own: the sum of its output over the sum of its output weight, ${weights.join(', ')}`;
  return {
    divisors,
    readings: [{ about: 'loss', decision, evidence: `${evidence}; the network has an output weight` }],
  };
}

/** The graph whose only output is the sum of the weights. */
function weightGraph(forward: Graph): Graph {
  const builder = GraphBuilder.from(forward);
  return prune(builder.build([builder.apply('ReduceSum', [forward.outputs[1]!], { keepdims: 0 })]));
}

function requireFixedWeights({ nodes, parameters }: Graph, network: string): void {
  const trained = new Set(parameters.map(({ value }) => value.id));
  if (!nodes.some(({ inputs }) => inputs.some((input) => input !== null && trained.has(input.id)))) return;
  throw new UsageError({
    given: `output weight of network ${network}, which depends on its parameters`,
    expected: 'weights that the data alone decide, such as how many labels count',
    remedy: 'export the loss so that it is a sum of terms, divided by weights of the data',
  });
}

/** Runs a graph of one scalar output, at the parameters of the file or at `theta` [K], with the reference engine. */
export async function programOf(graph: Graph, theta?: Float64Array): Promise<Program> {
  const program = await (await engineNamed('reference')).compile(graph);
  program.load(theta ?? Float64Array.from(initialise(graph.parameters, key(0))));
  return program;
}

/** Examples that are looked at together. */
const tried = 16;

/**
 * Throws UsageError where the loss has numbers that do not count and are not 0, in the first examples that have such: it is divided by the sum
 * of its weights, and was not multiplied by them. Nothing is known of a loss with another shape than its weights.
 */
async function requireWeighed(
  build: (examples: number) => Graph,
  train: Examples,
  network: string,
): Promise<void> {
  const size = Math.min(tried, train.count);
  const { outputs } = build(size);
  const [loss, weight] = outputs.map(({ shape }) => shape.join());
  if (loss !== weight || loss === '') return;
  const [uncounted, wrong] = await Promise.all(
    [false, true].map((of) => programOf(uncountedGraph(build(size), of))),
  );
  try {
    for (let start = 0; start + size <= train.count; start += size) {
      const feeds = sliceFeeds(train, start, start + size);
      if ((await uncounted!.run(feeds)) === 0) continue;
      const total = await wrong!.run(feeds);
      if (!(total > 0)) return;
      throw new UsageError({
        given: `output of network ${network}, whose numbers of weight 0 add up to ${total} in examples ${start} to ${start + size - 1}`,
        expected: 'losses that were multiplied by output weight, by whose sum theirs is divided',
        remedy: 'export the product of losses and weights beside the weights',
      });
    }
  } finally {
    await Promise.all([uncounted!.dispose(), wrong!.dispose()]);
  }
}

/** The graph whose only output is how many numbers of the loss have weight 0, or the sum of their magnitudes. */
function uncountedGraph(forward: Graph, magnitudes: boolean): Graph {
  const builder = GraphBuilder.from(forward);
  const apply = (op: string, ...inputs: Value[]): Value => builder.apply(op, inputs);
  const [loss, weight] = forward.outputs as [Value, Value];
  const isUncounted = apply('Sub', builder.scalar(1), apply('Sign', apply('Abs', weight)));
  const all = magnitudes ? apply('Mul', apply('Abs', loss), isUncounted) : isUncounted;
  return prune(builder.build([builder.apply('ReduceSum', [all], { keepdims: 0 })]));
}

async function weightOf(
  build: (examples: number) => Graph,
  examples: Examples,
  chunk: number,
  set: string,
): Promise<number> {
  let total = 0;
  for (const { start, end } of plainChunks(examples.count, chunk)) {
    const program = await programOf(weightGraph(build(end - start)));
    total += await program.run(sliceFeeds(examples, start, end));
    await program.dispose();
  }
  if (total > 0) return total;
  throw new UsageError({
    given: `weights of ${set} that add up to ${total}`,
    expected: 'a positive sum',
    remedy: 'give data whose labels count, or leave this set out of measure',
  });
}

/** Rounding of float32 data in sums of a few numbers. */
const additive = 1e-6;

/** Throws UsageError where the loss of two examples is not the sum of the two examples' losses. */
async function requireSum(
  build: (examples: number) => Graph,
  train: Examples,
  network: string,
): Promise<void> {
  if (train.count < 2) return;
  const lossOf = async (start: number, end: number): Promise<number> => {
    const program = await programOf(attachLoss(build(end - start), { loss: 'output' }));
    const loss = await program.run(sliceFeeds(train, start, end));
    await program.dispose();
    return loss;
  };
  const [first, second, both] = [await lossOf(0, 1), await lossOf(1, 2), await lossOf(0, 2)];
  if (Math.abs(first + second - both) <= additive * (Math.abs(first) + Math.abs(second))) return;
  throw new UsageError({
    given: `output of network ${network}: ${first} and ${second} for two examples, ${both} for both together`,
    expected: 'a sum over the chunk’s examples, by which chunks can be added up',
    remedy:
      'export the loss of each example [N] (reduction="none"), or its sum beside an output weight (reduction="sum")',
  });
}

/** Throws UsageError where losses of single examples would be needed, and a network computes none of them. */
export function requireDividable(
  { parts, sample, trajectory }: Pick<RunConfig, 'parts' | 'sample' | 'trajectory'>,
  model: Model,
  own: OwnLoss | null,
): void {
  const isWeighted = own?.divisors != null;
  const given =
    sample !== null && isWeighted
      ? 'a sample'
      : trajectory === null && isWeighted
        ? 'training'
        : parts !== null && isChunkLoss(model)
          ? 'parts'
          : null;
  if (given === null) return;
  throw new UsageError({
    given: `${given} with network ${model.name}, which weighs the losses that it computes or adds them up`,
    expected: 'the loss of each example [N], all of which count alike',
    remedy: `export the loss of each example, or do without ${given}`,
  });
}
