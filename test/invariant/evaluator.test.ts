import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { fold, key, uniform } from '../../src/num/random.js';
import { openExperiment, objectivePlan } from '../../src/experiment/experiment.js';
import { checkConfig } from '../../src/experiment/config/file.js';
import { engineNamed } from '../../src/engines/registry.js';
import { EngineError } from '../../src/errors.js';
import { Evaluator, usefulWorkers } from '../../src/objective/evaluator.js';
import { type Thread, type Threads, withThreads } from '../../src/objective/threads.js';
import type { Evaluation } from '../../src/quadrature/types.js';
import { temporaryFolder } from '../support/cli.js';
import { relativeDeviation } from '../support/golden.js';

/** 230 examples in chunks of 50: a last chunk of 30, and lanes of unequal length. */
const experiment = await openExperiment(
  checkConfig({ subset: 230, chunk: 50, lanes: 3, batchSize: 10, engine: 'onnxruntime' }, 'the test'),
);
const noCompiler = !(await (await engineNamed('native')).available()).ok;
const thetas = [1, 2, 3, 4, 5].map((seed) => uniform(fold(key(seed), 'theta'), experiment.layout.size).map((u) => 0.1 * (u - 0.5))); // prettier-ignore

/** The threads that are lent from now on. */
function takenFrom(threads: Threads): ReadonlySet<Thread> {
  const used = new Set<Thread>();
  const take = threads.take.bind(threads);
  threads.take = () => {
    const worker = take();
    used.add(worker);
    return worker;
  };
  return used;
}

async function evaluateAll(
  engine: string,
  workers: number,
  threads?: Threads,
): Promise<(readonly Evaluation[])[]> {
  const evaluator = await Evaluator.start(objectivePlan(experiment, engine), workers, threads);
  try {
    return await Promise.all(thetas.map((theta) => evaluator.evaluate(theta)));
  } finally {
    await evaluator.close();
  }
}

describe('evaluator', () => {
  it('gives the same bits for any number of workers', async () => {
    const one = await evaluateAll('onnxruntime', 1);
    expect(await evaluateAll('onnxruntime', 2)).toEqual(one);
    expect(await evaluateAll('onnxruntime', 3)).toEqual(one);
  });

  it('uses threads again, for the same bits', async () => {
    const alone = [await evaluateAll('reference', 2), await evaluateAll('onnxruntime', 2)];
    await withThreads(async (threads) => {
      const used = takenFrom(threads);
      const given = [await evaluateAll('reference', 2, threads), await evaluateAll('onnxruntime', 2, threads)];
      expect(given).toEqual(alone);
      expect(used.size).toBe(2);
    });
  });

  it('lets threads end by themselves, since a library that is broken off in a call takes the process with it', async () => {
    const codes: number[] = [];
    await withThreads(async (threads) => {
      const used = takenFrom(threads);
      await evaluateAll('onnxruntime', 2, threads);
      for (const worker of used) worker.on('exit', (code) => codes.push(code));
    });
    expect(codes).toEqual([0, 0]);
  });

  it('gives no thread back that works on something', async () => {
    await withThreads(async (threads) => {
      const evaluator = await Evaluator.start(objectivePlan(experiment, 'reference'), 1, threads);
      const given: Thread[] = [];
      threads.give = (worker) => given.push(worker);
      const underWay = evaluator.evaluate(thetas[0]!);
      underWay.catch(() => undefined);
      await sleep(0);
      await evaluator.close();
      await expect(underWay).rejects.toThrow(EngineError);
      expect(given).toEqual([]);
    });
  });

  it('starts no more workers than find a lane to work on', () => {
    // Three lanes of 230 training examples and one of 25 for validation, in 16 evaluations at once.
    expect(usefulWorkers(objectivePlan(experiment), 128)).toBe(64);
    expect(usefulWorkers(objectivePlan(experiment), 40)).toBe(40);
    expect(usefulWorkers(objectivePlan(experiment), 5)).toBe(5);
  });

  it.skipIf(noCompiler)('asks once for a compiler, however many workers there are', async () => {
    const [folder, before] = [temporaryFolder(), process.env.CC];
    const [compiler, log] = [join(folder, 'cc'), join(folder, 'log')];
    writeFileSync(compiler, `#!/bin/sh\ncase "$*" in *-dM*) echo asked >> ${log};; esac\nexec cc "$@"\n`, { mode: 0o755 });
    process.env.CC = compiler;
    try {
      await evaluateAll('native', 4);
    } finally {
      if (before === undefined) delete process.env.CC;
      else process.env.CC = before;
    }
    expect(readFileSync(log, 'utf8')).toBe('asked\n');
  });

  it.for(['reference', 'onnxruntime', 'native'])('ends in the middle of evaluations: %s', async (engine, { skip }) => {
    if (engine === 'native' && noCompiler) skip('no compiler');
    const settings = { model: 'lenet', subset: 600, chunk: 100, lanes: 6, batchSize: 10, engine };
    const plan = objectivePlan(await openExperiment(checkConfig(settings, 'the test')), engine);
    const theta = new Float64Array(plan.size).fill(0.01);
    for (let pause = 0; pause < 5; pause++) {
      const evaluator = await Evaluator.start(plan, 2);
      const evaluations = [1, 2, 3].map(() => evaluator.evaluate(theta));
      await sleep(20 * pause);
      await Promise.all([evaluator.close(), ...evaluations.map((one) => one.catch((error: unknown) => expect(error).toBeInstanceOf(EngineError)))]);
    }
  }); // prettier-ignore

  it('is the mean over all examples, unequal chunks included', async () => {
    const { dataset, layout } = experiment;
    const { train } = dataset.splits;
    const engine = await engineNamed('reference');
    const program = await engine.compile(objectivePlan(experiment).gradientGraph(train.count, false));
    const gradient = new Float64Array(layout.size);
    program.load(thetas[0]!);
    const loss = await program.run({ x: train.inputs, labels: train.labels }, gradient);

    const [exact] = await evaluateAll('reference', 2);
    expect(exact![0]!.loss).toBeCloseTo(loss / train.count, 13);
    expect(relativeDeviation(exact![0]!.gradient, gradient.map((sum) => sum / train.count))).toBeLessThan(1e-13);
    const [single] = await evaluateAll('onnxruntime', 2);
    expect(relativeDeviation(single![0]!.gradient, exact![0]!.gradient)).toBeLessThan(1e-5);
    expect(single![1]!.loss).toBeCloseTo(exact![1]!.loss, 6);
  });

  it.each(noCompiler ? ['reference', 'onnxruntime'] : ['reference', 'onnxruntime', 'native'])('finds losses alone as with gradients (%s)', async (engine) => {
    const evaluator = await Evaluator.start(objectivePlan(experiment, engine), 2);
    try {
      const whole = await evaluator.evaluate(thetas[0]!);
      const alone = await evaluator.evaluate(thetas[0]!, [], 'loss');
      // ONNX Runtime compiles another graph for it, and fuses it otherwise.
      alone.forEach(({ loss }, o) => { expect(loss).toBeCloseTo(whole[o]!.loss, engine === 'onnxruntime' ? 6 : 14); });
      for (const { gradient } of alone) expect(gradient).toHaveLength(0);
      evaluator.release(alone);
      expect(await evaluator.evaluate(thetas[0]!)).toEqual(whole);
    } finally {
      await evaluator.close();
    }
  });

  it('rejects what is under way when it is closed, and what is asked of it afterwards', async () => {
    const evaluator = await Evaluator.start(objectivePlan(experiment), 1);
    const pending = thetas.map((theta) => evaluator.evaluate(theta));
    const ended = Promise.allSettled(pending);
    await evaluator.close();
    expect((await ended).at(-1)).toMatchObject({ status: 'rejected', reason: expect.any(EngineError) as Error });
    await expect(evaluator.evaluate(thetas[0]!)).rejects.toThrow(/an evaluator that was closed/);
  });

  it('reports what a worker could not do', async () => {
    await expect(Evaluator.start(objectivePlan(experiment, 'abacus'), 1)).rejects.toThrow(/abacus/);
  });
}); // prettier-ignore
