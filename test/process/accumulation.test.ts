import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../src/experiment/config/file.js';
import { openExperiment } from '../../src/experiment/experiment.js';
import { batches, trajectory } from '../../src/run/steps.js';
import { ended, temporaryFolder } from '../support/cli.js';
import { relativeDeviation } from '../support/golden.js';
import { npyFile, npyNumbers, npzFile } from '../support/npz.js';
import { pythonPackage, pythonWith } from '../support/python.js';
import { size, writeRecordedRun } from '../support/recorded.js';

const python = pythonWith('torch', 'numpy');
if (python === null) console.log('skipped: no Python with torch and numpy');

const folder = temporaryFolder();
const { x, y } = writeRecordedRun(folder, 2);
const [iterations, accumulate, batchSize] = [6, 4, 10] as const;
const parts = ['gradient', 'momentum', 'weightDecay'] as const;

/** Trains here, and writes θ_0 and the order of examples for PyTorch: θ [T+1, K], and what each step was made of [T, K]. */
async function train(data: string, own: object): Promise<Record<'theta' | (typeof parts)[number], number[]>> {
  const config = { model: join(folder, 'model.onnx'), data, divisor: 1, optimizer: 'adamw', learningRate: 0.01, weightDecay: 0.1, iterations, engine: 'reference', ...own }; // prettier-ignore
  const experiment = await openExperiment(checkConfig(config, 'the test'));
  const found = { theta: [] as number[], gradient: [] as number[], momentum: [] as number[], weightDecay: [] as number[] }; // prettier-ignore
  for await (const { theta, update } of trajectory(experiment, { updates: true })) {
    found.theta.push(...theta);
    for (const part of parts) if (update !== undefined) found[part].push(...update[part]);
  }
  const order = Int32Array.from([...batches(experiment)].flatMap((step) => [...step]));
  writeFileSync(join(folder, 'order.npy'), npyFile(order, [iterations, order.length / iterations]));
  writeFileSync(join(folder, 'start.npy'), npyFile(Float32Array.from(found.theta.slice(0, size)), [size]));
  return found;
}

/** The same in PyTorch with the recorder; `loss` is that of a mini-batch `part` of the examples `batch` of a step. */
const script = (data: string, name: string, loss: string): string => `
import collections, numpy as np, torch, lossledger
from torch import nn
from torch.nn.functional import cross_entropy

data = np.load("${data}")
x, y = torch.tensor(data["x"]).double(), torch.tensor(data["y"]).long()
model = nn.Sequential(collections.OrderedDict(a=nn.Linear(60, 40), tanh=nn.Tanh(), b=nn.Linear(40, 5))).double()
nn.utils.vector_to_parameters(torch.tensor(np.load("start.npy")).double(), model.parameters())
optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.1)
with lossledger.Recorder(model, optimizer, "${name}"):
    for batch in torch.tensor(np.load("order.npy")).long():
        optimizer.zero_grad()
        for part in batch.reshape(${accumulate}, ${batchSize}):
            (${loss}).backward()
        optimizer.step()
        for parameter in model.parameters():
            parameter.data = parameter.data.float().double()  # as it is stored
`;

async function byPyTorch(data: string, name: string, loss: string): Promise<void> {
  const child = spawn(python!, ['-c', script(data, name, loss)], {
    cwd: folder,
    env: { ...process.env, PYTHONPATH: pythonPackage },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { code, stderr } = await ended(child);
  expect(code, stderr).toBe(0);
}

const recorded = (name: string, file: string) => npyNumbers(readFileSync(join(folder, name, `${file}.npy`)));

describe.skipIf(python === null)('steps of several mini-batches', () => {
  const ignored = y.map((label, n) => (n % 3 === 0 ? -100 : label));
  writeFileSync(join(folder, 'ignored.npz'), npzFile({ x: { data: x, shape: [400, 60] }, y: { data: ignored, shape: [400] } })); // prettier-ignore

  it.each([
    ['the usual loop', 'data.npz', `cross_entropy(model(x[part]), y[part]) / ${accumulate}`],
    ['labels that do not count: the mean is over all that do in the step', 'ignored.npz', 'cross_entropy(model(x[part]), y[part], reduction="sum") / (y[batch] != -100).sum()'],
  ])('are PyTorch’s, with what they are made of: %s', async (_, data, loss) => {
    const found = await train(join(folder, data), { batchSize, accumulate });
    const name = `recording-${data}`;
    await byPyTorch(data, name, loss);
    const theta = recorded(name, 'theta');
    expect(relativeDeviation(found.theta, theta)).toBeLessThan(1e-6);
    expect(relativeDeviation(found.theta.slice(0, -size), theta.subarray(size))).toBeGreaterThan(1e-3);
    for (const part of parts) expect(relativeDeviation(found[part], recorded(name, `update/${part}`)), part).toBeLessThan(1e-5);
  }); // prettier-ignore

  it('are those of one mini-batch of all of their examples', async () => {
    const data = join(folder, 'data.npz');
    const several = await train(data, { batchSize, accumulate });
    const one = await train(data, { batchSize: batchSize * accumulate });
    expect(relativeDeviation(several.theta, one.theta)).toBeLessThan(1e-7);
  });
});
