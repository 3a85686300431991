import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import koffi from 'koffi';
import { differentiate } from '../../src/autodiff/index.js';
import { generateModule } from '../../src/engines/native/emit/module.js';
import { loadLibrary } from '../../src/engines/native/library.js';
import { numbersOf } from '../../src/engines/native/program.js';
import { lowerToSteps } from '../../src/engines/native/lower/index.js';
import type { Step } from '../../src/engines/native/plan/step.js';
import { cachedLibrary } from '../../src/engines/native/toolchain/cache.js';
import type { Compiler } from '../../src/engines/native/toolchain/compiler.js';
import { attachLoss } from '../../src/graph/loss.js';
import type { Graph } from '../../src/graph/types.js';
import { parameterCount, sizeOf } from '../../src/graph/types.js';
import { initialise } from '../../src/models/initialise.js';
import { extentsOf } from '../../src/models/registry.js';
import { benchModelNamed } from '../../src/run/bench/gradient.js';
import { key, uniform } from '../../src/num/random.js';
import type { PeakLoop } from './peak.js';

/** One call of the program, with what it cost in one evaluation of a chunk. */
export interface ProfiledStep {
  readonly step: Step;
  /** Processor time of the median run, as if the processor had run at the speed of `Profile.peak`. */
  readonly seconds: number;
}

export interface Profile {
  /** Examples of the chunk. */
  readonly examples: number;
  /** GFLOP/s of multiply-adds in registers, the best of what was measured before and after the runs. */
  readonly peak: number;
  readonly steps: readonly ProfiledStep[];
  /** Processor time of setting the parameters, once for each evaluation of a data set. */
  readonly loadSeconds: number;
}

/** Loss and gradient of a built-in network, for bytes. */
export function gradientGraph(network: string, examples: number): Graph {
  const transform = { dtype: 'uint8', divisor: 255, mean: [], std: [] } as const;
  const { model } = benchModelNamed(network);
  const graph = model.build({ examples, training: false, transform });
  const classAxis = model.outputShape?.length ?? 1;
  return differentiate(attachLoss(graph, { loss: 'softmaxCrossEntropy', classAxis }));
}

/** Multiply-adds of one example's gradient, convolutions counted as direct sums. */
export function multiplyAddsOf(steps: readonly Step[]): number {
  return steps.reduce((total, step) => total + step.multiplyAdds, 0);
}

function randomFeeds(graph: Graph, network: string): [Uint8Array, Int32Array] {
  const [x, labels] = graph.inputs;
  const { inputsBelow, classes } = extentsOf(benchModelNamed(network).model);
  const bytes = Uint8Array.from(uniform(key(1), sizeOf(x!.shape)), (u) => inputsBelow * u);
  return [bytes, Int32Array.from(uniform(key(2), sizeOf(labels!.shape)), (u) => classes * u)];
}

const middle = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;

/**
 * Times every step of a network's program on one thread, by a build of it that takes the time around each call. The speed of a shared
 * processor changes from second to second, so the loop of multiply-adds runs before and after each run, whose times are scaled by it.
 */
export async function profileNetwork(
  network: string,
  compiler: Compiler,
  loop: PeakLoop,
  runs: number,
): Promise<Profile> {
  const examples = benchModelNamed(network).chunk;
  const graph = gradientGraph(network, examples);
  const lowered = lowerToSteps(graph, compiler.target);
  const { source, calls } = generateModule(lowered, compiler.target, true);
  const folder = await mkdtemp(join(tmpdir(), 'lossledger-roofline-'));
  try {
    const path = await cachedLibrary(compiler, source, { folder });
    const run = timedRun(
      path,
      graph,
      randomFeeds(graph, network),
      numbersOf(lowered.constants),
      calls.length,
    );
    const { times, peak } = scaledRuns(run, loop, runs);
    const loaded = new Set(lowered.loadSteps);
    const steps = calls.map((step, k) => ({ step, seconds: middle(times.map((time) => time[k]!)) }));
    const isLoad = ({ step }: ProfiledStep): boolean => loaded.has(step);
    return {
      examples,
      peak,
      steps: steps.filter((entry) => !isLoad(entry)),
      loadSeconds: steps.filter(isLoad).reduce((total, { seconds }) => total + seconds, 0),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Seconds of each call [runs][calls] after one run to warm up, scaled to the best speed of multiply-adds that was seen. */
function scaledRuns(
  run: () => Float64Array,
  loop: PeakLoop,
  runs: number,
): { times: Float64Array[]; peak: number } {
  run();
  let before = loop.sample();
  const measured = Array.from({ length: runs }, () => {
    const seconds = run();
    const after = loop.sample();
    const rate = (before + after) / 2;
    before = after;
    return { seconds, rate };
  });
  const peak = Math.max(...measured.map(({ rate }) => rate));
  return { times: measured.map(({ seconds, rate }) => seconds.map((s) => (s * rate) / peak)), peak };
}

/** A function that runs the program once and returns the seconds of each call. */
function timedRun(
  path: string,
  graph: Graph,
  feeds: readonly ArrayBufferView[],
  constants: Float64Array,
  calls: number,
): () => Float64Array {
  const library = loadLibrary(path, graph.inputs.length);
  const takeTimes = koffi.load(path).func('void lossledger_profile(_Out_ double *, long)');
  const memory = library.create()!;
  const theta = Float64Array.from(initialise(graph.parameters, key(0)));
  const gradient = new Float64Array(parameterCount(graph.parameters));
  return () => {
    const seconds = new Float64Array(calls);
    library.load(memory, theta, constants);
    library.run(memory, gradient, ...feeds);
    takeTimes(seconds, calls);
    return seconds;
  };
}
