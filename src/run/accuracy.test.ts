import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/cli.js';
import { npzFile } from '../../test/support/npz.js';
import { size, tensors, writeRecordedRun } from '../../test/support/recorded.js';
import { writeTokenRun } from '../../test/support/token-network.js';
import type { Accuracy } from '../analysis/use/accuracy.js';
import { engineNamed } from '../engines/registry.js';
import { checkConfig } from '../experiment/config/file.js';
import type { RunConfigInput } from '../experiment/config/schema.js';
import { GraphBuilder } from '../graph/builder.js';
import { writeOnnx } from '../onnx/index.js';
import { openExperiment } from '../experiment/experiment.js';
import { createRun } from '../experiment/manifest.js';
import { openRun } from '../store/open.js';
import { measureAccuracy, storeAccuracy, storedAccuracy } from './accuracy.js';
import { measureRun } from './measure.js';
import { analysisOf, reportRun } from './report.js';
import { trainRun } from './train.js';

const folder = temporaryFolder();
const recorded = writeRecordedRun(folder, 8);
const files = {
  model: join(folder, 'model.onnx'),
  data: join(folder, 'data.npz'),
  trajectory: join(folder, 'trajectory.safetensors'),
  divisor: 1,
};

/** A run of a recorded trajectory, copied and, unless that is left out, measured. */
async function runOf(name: string, config: RunConfigInput, isMeasured = false) {
  const experiment = await openExperiment(checkConfig({ measure: ['train'], chunk: 150, lanes: 2, ...config }, 'the test')); // prettier-ignore
  const run = await createRun(join(folder, name), experiment);
  await trainRun(experiment, run);
  if (isMeasured) await measureRun(experiment, run, { workers: 1 });
  await run.close();
  return { experiment, run: await openRun(join(folder, name)) };
}

/** Losses of which none is 0. */
const noLoss = (): number[] => [];

const argmax = (values: readonly number[]): number => values.indexOf(Math.max(...values));

/** The share of right answers of the recorded network at a row of θ, in plain loops. */
function naive(row: number): number {
  const theta = recorded.theta.subarray(row * size, (row + 1) * size);
  const [hidden, inputs] = tensors[0].shape;
  const [classes] = tensors[2].shape;
  const second = hidden * inputs + hidden;
  let right = 0;
  for (const [n, label] of recorded.y.entries()) {
    const h = Array.from({ length: hidden }, (_, k) => {
      let total = theta[hidden * inputs + k]!;
      for (let i = 0; i < inputs; i++) total += recorded.x[n * inputs + i]! * theta[k * inputs + i]!;
      return Math.tanh(total);
    });
    const scores = Array.from({ length: classes }, (_, c) =>
      h.reduce((sum, value, k) => sum + value * theta[second + c * hidden + k]!, theta[second + classes * hidden + c]!),
    ); // prettier-ignore
    if (argmax(scores) === label) right++;
  }
  return right / recorded.y.length;
}

describe('accuracy', () => {
  it.for(['reference', 'onnxruntime', 'native'] as const)('counts right answers as plain loops do: %s', async (engine, { skip }) => {
    const available = await (await engineNamed(engine)).available();
    if (!available.ok) skip(available.reason);
    const { experiment, run } = await runOf(engine, { ...files, engine });
    const found = (await measureAccuracy(experiment, run, { workers: 1 })) as Accuracy;
    expect(found.rows).toEqual([0, 2, 4, 5, 7]);
    expect(found.iteration).toEqual(found.rows);
    expect(found.objectives).toEqual([{ name: 'train', labels: 400, share: found.rows.map((row) => expect.closeTo(naive(row), 9) as number) }]);
  }); // prettier-ignore

  it('counts tokens, and not those that do not count', async () => {
    const own = join(folder, 'tokens');
    mkdirSync(own);
    const tokens = writeTokenRun(own, 3);
    const { experiment, run } = await runOf('token-run', { ...tokens.files, chunk: 4, engine: 'reference', ignoreLabel: -100 }); // prettier-ignore
    const found = (await measureAccuracy(experiment, run, { workers: 1 })) as Accuracy;
    const counted = tokens.labels.filter((label) => label !== -100).length;
    const right = (row: number): number =>
      tokens.logits(row).filter((logits, k) => argmax(logits) === tokens.labels[k]).length / counted;
    expect(found.objectives).toEqual([{ name: 'train', labels: counted, share: [0, 1, 2].map((row) => expect.closeTo(right(row), 6) as number) }]); // prettier-ignore
  });

  it('is stored once, shown in the report, and not believed where the file is another', async () => {
    const { experiment, run } = await runOf('kept', { ...files, engine: 'reference' }, true);
    const before = await reportRun(run, { themes: false });
    expect(readFileSync(before.path, 'utf8')).toMatch(
      /Accuracy is not shown: it was not computed .* --accuracy/,
    );
    await storeAccuracy(experiment, run, { workers: 1 });
    const found = (await storedAccuracy(run, noLoss)) as Accuracy;
    expect(found.objectives[0]!.share.at(-1)).toBeCloseTo(naive(7), 9);
    const { analysis, path } = await reportRun(run, { themes: false });
    expect(analysis.accuracy).toEqual(found);
    expect(readFileSync(path, 'utf8')).toMatch(/train accuracy.*Accuracy, beside the loss/s);
    const file = join(run.folder, 'analysis/accuracy.json');
    const content = readFileSync(file, 'utf8');
    for (const other of [
      content.replace(/"share":\[[\d.]+/, '"share":[0.5'),
      content.slice(0, 90),
      '{}',
      '[1,',
    ])
      expect((writeFileSync(file, other), await storedAccuracy(run, noLoss))).toHaveProperty('missing');
  });

  it('is 100 % of one class, also where an older version stored 0', async () => {
    const builder = new GraphBuilder('one class');
    const weight = builder.parameter('w', [1, 60], { layer: 'w', neuronAxis: 0, initializer: { kind: 'zeros' } });
    const model = join(folder, 'one.onnx');
    writeFileSync(model, writeOnnx(builder.build([builder.apply('Gemm', [builder.input('x', 'float32', [1, 60]), weight], { transB: 1 })]), new Float32Array(60)));
    const data = join(folder, 'one.npz');
    writeFileSync(data, npzFile({ x: { data: recorded.x, shape: [400, 60] }, y: { data: new Int32Array(400), shape: [400] } }));
    const { experiment, run } = await runOf('one', { model, data, divisor: 1, iterations: 3, engine: 'reference' }, true);
    await storeAccuracy(experiment, run, { workers: 1 });
    const file = join(run.folder, 'analysis/accuracy.json');
    const content = JSON.parse(readFileSync(file, 'utf8')) as { sha256: string; finding: Accuracy };
    const finding = { ...content.finding, objectives: content.finding.objectives.map((own) => ({ ...own, share: own.share.map(() => 0) })) };
    writeFileSync(file, JSON.stringify({ ...content, finding, sha256: createHash('sha256').update(JSON.stringify(finding)).digest('hex') }));
    expect((await storedAccuracy(run, noLoss) as Accuracy).objectives[0]!.share).toEqual([0, 0, 0, 0]);
    expect(((await analysisOf(run)).accuracy as Accuracy).objectives[0]!.share).toEqual([1, 1, 1, 1]);
  }); // prettier-ignore

  it('is none of a regression, and of labels that are shares', async () => {
    const y = { data: Float32Array.from({ length: 400 * 5 }, (_, k) => (k % 3) / 2), shape: [400, 5] };
    const data = join(folder, 'shares.npz');
    writeFileSync(data, npzFile({ x: { data: recorded.x, shape: [400, 60] }, y }));
    for (const [loss, reason] of [['squaredError', /squared error/], ['sigmoidCrossEntropy', /shares/]] as const) {
      const { experiment, run } = await runOf(loss, { ...files, data, loss, engine: 'reference' });
      expect(await measureAccuracy(experiment, run)).toEqual({ missing: expect.stringMatching(reason) as string });
    }
  }); // prettier-ignore
});
