import fc from 'fast-check';
import { differentiate } from '../../src/autodiff/index.js';
import { referenceEngine } from '../../src/engines/reference/index.js';
import type { Engine } from '../../src/engines/types.js';
import { chunkProblem } from './chunk-problem.js';
import type { ChunkProblem } from './chunk-problem.js';
import { applications } from './operators/index.js';
import type { ChunkApplication } from './operators/lift.js';
import { onChunk } from './operators/lift.js';

/** Feeds of one program: a C function is called with each as an argument. */
const MOST_FEEDS = 48;

/** `count` applications of each operator to a chunk of N examples, the same at each call. */
export function drawnApplications(count: number, examples: number): ChunkApplication[] {
  return Object.entries(applications).flatMap(([op, specs]) =>
    fc
      .sample(fc.oneof(...specs), { numRuns: count, seed: examples })
      .map((spec) => onChunk(op, spec, examples))
      .filter((application) => application !== null),
  );
}

const feedsOf = ({ inputs }: ChunkApplication): number =>
  1 + inputs.reduce((total, input) => total + (input?.hasExamples ? 2 : 1), 0);

/** Applications in as few problems as the number of feeds allows. */
export function problemsOf(given: readonly ChunkApplication[], examples: number): ChunkProblem[] {
  const batches: ChunkApplication[][] = [[]];
  let feeds = 0;
  for (const application of given) {
    feeds += feedsOf(application);
    if (feeds > MOST_FEEDS) {
      batches.push([]);
      feeds = feedsOf(application);
    }
    batches.at(-1)!.push(application);
  }
  return batches.map((batch, index) => chunkProblem(batch, examples, 100 * examples + index));
}

export interface Outcome {
  readonly loss: number;
  readonly gradient: Float64Array;
}

export async function evaluate(engine: Engine, { graph, theta, feeds }: ChunkProblem): Promise<Outcome> {
  const program = await engine.compile(differentiate(graph));
  program.load(theta);
  const gradient = new Float64Array(theta.length);
  const loss = await program.run(feeds, gradient);
  await program.dispose();
  return { loss, gradient };
}

export interface Deviation {
  /** The application in words, or `loss` for the loss of the whole problem. */
  readonly of: string;
  /** Largest difference to the reference engine, in units of the largest component or 1; infinite where one is a NaN. */
  readonly size: number;
}

function deviation(actual: Float64Array, expected: Float64Array): number {
  const scale = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
  return expected.reduce((largest, value, k) => {
    const size = Math.abs(value - actual[k]!) / scale;
    return Math.max(largest, Number.isNaN(size) ? Infinity : size);
  }, 0);
}

/** How far an engine is from the reference engine, for each application of a problem. */
export async function deviationsOf(engine: Engine, problem: ChunkProblem): Promise<Deviation[]> {
  return deviationsFrom(await evaluate(engine, problem), problem);
}

export async function deviationsFrom(actual: Outcome, problem: ChunkProblem): Promise<Deviation[]> {
  const expected = await evaluate(referenceEngine, problem);
  const parts = problem.parts.map(({ application, from, to }) => ({
    of: `${application.op} ${JSON.stringify(application)}`,
    size: deviation(actual.gradient.subarray(from, to), expected.gradient.subarray(from, to)),
  }));
  return [
    { of: 'loss', size: deviation(Float64Array.of(actual.loss), Float64Array.of(expected.loss)) },
    ...parts,
  ];
}
