import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Faults, measuredRun } from '../../../test/support/measured-run.js';
import { npzFile } from '../../../test/support/npz.js';
import { writeRecordedRun } from '../../../test/support/recorded.js';
import { temporaryFolder } from '../../../test/support/run-folder.js';
import { checkConfig } from '../../experiment/config/file.js';
import type { RunConfigInput } from '../../experiment/config/schema.js';
import { type Experiment, openExperiment } from '../../experiment/experiment.js';
import type { ComponentsInput } from '../../ledger/allocate.js';
import type { Motion } from '../../ledger/measure-range.js';
import { GraphBuilder } from '../../graph/builder.js';
import { writeOnnx } from '../../onnx/index.js';
import { Updates } from '../updates.js';
import { verifyFolder } from '../verify.js';

const { parent: folder, remove } = temporaryFolder();
afterAll(remove);
const file = (name: string) => join(folder, name);
const rows = 3;
const { theta } = writeRecordedRun(folder, rows);

const open = (settings: RunConfigInput): Promise<Experiment> =>
  openExperiment(checkConfig({ divisor: 1, chunk: 200, engine: 'onnxruntime', measure: ['train'], ...settings }, 'the test')); // prettier-ignore

let made = 0;
async function run(experiment: Experiment, faults: Faults): Promise<string> {
  const name = file(`run${made++}`);
  await measuredRun(name, experiment, faults);
  return name;
}

/** A run with components of which a share of the first is said to be of the second: sums fit. */
async function splitRun(experiment: Experiment, share: number): Promise<string> {
  const updates = (await Updates.open(experiment))!;
  const split = async (segment: number, motion: Motion): Promise<ComponentsInput> => {
    const { parts, byParameter } = await updates.split(segment, motion);
    const [first, second, ...rest] = parts.map((part) => part.slice());
    for (let k = 0; k < first!.length; k++) {
      const moved = share * first![k]!;
      first![k]! -= moved;
      second![k]! += moved;
    }
    return { parts: [first!, second!, ...rest], byParameter };
  };
  return run(experiment, { split }).finally(() => updates.close());
}

const small = { model: file('model.onnx'), data: file('data.npz'), components: true } as const;
const trained = { ...small, batchSize: 20, iterations: 4, momentum: 0.9, learningRate: 0.1 } as const;
const T = rows - 1;
const size = theta.length / rows;
const moved = (share: number) =>
  Float32Array.from({ length: T * size }, (_, k) => share * (theta[k + size]! - theta[k]!));
writeFileSync(
  file('recording.npz'),
  npzFile({
    theta: { data: theta, shape: [rows, size] },
    'update/step': { data: moved(0.75), shape: [T, size] },
    'update/rest': { data: moved(0.25), shape: [T, size] },
  }),
);

describe('components that are recomputed', () => {
  it.each<[string, RunConfigInput, number[]]>([
    ['trained, by parameter', { ...trained, keepComponents: 'parameters' }, [0, 3]],
    ['trained, engine in float64', { ...trained, engine: 'reference' }, [0, 3]],
    // Adam's first step is lr · g / |g|, of which rounding leaves little where g is nearly 0.
    ['trained, by Adam', { ...trained, momentum: null, optimizer: 'adam', weightDecay: 0.1 }, [3]],
    ['recorded', { ...small, trajectory: file('recording.npz') }, [0, 1]],
  ])(
    'agree with the stored ones, and show what balances and is wrong (%s)',
    async (_, settings, segments) => {
      const experiment = await open(settings);
      const right = await splitRun(experiment, 0);
      expect((await verifyFolder(right, { sample: 2, workers: 1 })).findings).toEqual([]);
      const wrong = await splitRun(experiment, 0.01);
      expect((await verifyFolder(wrong)).findings).toEqual([]);
      const { findings } = await verifyFolder(wrong, { sample: 2, workers: 1 });
      expect(findings.map(({ where }) => where)).toEqual(segments.map((segment) => `segment ${segment}`));
    },
  );
});

describe('an activation at a kink', () => {
  /** One example of 40 has x · (1, −1) of half a rounding below zero where training starts. */
  async function experiment(): Promise<Experiment> {
    const count = 40;
    const x = Float32Array.from({ length: 2 * count }, (_, k) => (k < 2 ? 1 + k * 2 ** -23 : Math.sin(3 * k)));
    const y = Int32Array.from({ length: count }, (_, k) => k % 2);
    writeFileSync(file('kink.npz'), npzFile({ x: { data: x, shape: [count, 2] }, y: { data: y, shape: [count] } })); // prettier-ignore
    const builder = new GraphBuilder('kink');
    const weight = (name: string) => builder.parameter(name, [2, 2], { layer: name, neuronAxis: 1, initializer: { kind: 'zeros' } }); // prettier-ignore
    const hidden = builder.apply('MatMul', [builder.input('x', 'float32', [1, 2]), weight('in')]);
    const logits = builder.apply('MatMul', [builder.apply('Relu', [hidden]), weight('out')]);
    writeFileSync(file('kink.onnx'), writeOnnx(builder.build([logits]), Float32Array.of(1, 0.5, -1, 0.7, 1, -0.5, -1, 0.3))); // prettier-ignore
    return open({ model: file('kink.onnx'), data: file('kink.npz'), batchSize: 20, iterations: 1, learningRate: 0.01 }); // prettier-ignore
  }
  const nudged = (by: number) => (point: Float64Array) => { point[0]! *= 1 + by; }; // prettier-ignore

  it('may fall on its other side by rounding, and no further', async () => {
    const opened = await experiment();
    const verified = async (by: number) => verifyFolder(await run(opened, { move: nudged(by) }), { sample: 1, workers: 1 }); // prettier-ignore
    const { findings, facts } = await verified(2 ** -22);
    expect(findings).toEqual([]);
    // The other side of the kink is more than rounding explains.
    expect(Number(/allocations (\S+)/.exec(facts.at(-1)!)![1])).toBeGreaterThan(1e-3);
    expect((await verified(0.3)).findings.map(({ where }) => where)).toEqual(['segment 0']);
  });
}); // prettier-ignore
