import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunAnalysis } from '../../src/analysis/index.js';
import { ended, lca, temporaryFolder } from '../support/cli.js';
import { npyNumbers } from '../support/npz.js';
import { pythonPackage, pythonWith } from '../support/python.js';

const python = pythonWith('torch', 'numpy');
if (python === null) console.log('skipped: no Python with torch and numpy');

/** 7 tokens of 4 numbers, which the head shares; a frozen layer of 20, a table of 4, and a trained layer of 20. */
const training = `
import numpy as np, torch, lossledger
from torch import nn
from torch.nn.functional import cross_entropy

class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.base, self.top = nn.Embedding(7, 4), nn.Linear(4, 4), nn.Linear(4, 4)
        self.head = nn.Linear(4, 7, bias=False)
        self.head.weight = self.embedding.weight
        self.base.requires_grad_(False)
        self.register_buffer("table", torch.linspace(0.5, 1.5, 4))

    def forward(self, x):
        return self.head(self.top(torch.tanh(self.base(self.embedding(x)) * self.table)))

torch.manual_seed(0)
x = torch.arange(21) % 7
y = (x * 3 + 1) % 7
model = Tied()
optimizer = torch.optim.SGD([each for each in model.parameters() if each.requires_grad], lr=0.3)
with lossledger.Recorder(model, optimizer, "recording"):
    for step in range(5):
        optimizer.zero_grad()
        cross_entropy(model(x), y).backward()
        optimizer.step()
lossledger.export(model, x[:4], "model.onnx")
np.savez("data.npz", x=x, y=y)
`;

describe.skipIf(python === null)('a ledger of a network with frozen and tied parameters', () => {
  it('says which share of parameters, motion and loss it accounts for, and what it leaves out', async () => {
    const folder = temporaryFolder();
    const env = { PYTHONPATH: pythonPackage };
    const trained = await ended(spawn(python!, ['-c', training], { cwd: folder, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })); // prettier-ignore
    expect(trained.code, trained.stderr).toBe(0);
    const files = ['model.onnx', 'data.npz', 'recording'].map((name) => join(folder, name)) as [string, string, string]; // prettier-ignore
    const run = join(folder, 'run');
    const fixed = ['--engine', 'reference', '--quiet', '--json', '--out', run];
    const { code, stdout, stderr } = await lca(['measure', '--model', files[0], '--data', files[1], '--trajectory', files[2], ...fixed]); // prettier-ignore
    expect(code, stderr).toBe(0);
    const { coverage } = JSON.parse(stdout) as RunAnalysis;
    expect(coverage.parameters).toEqual({ accounted: 48, all: 68, share: 48 / 68 });
    const theta = Float64Array.from(npyNumbers(readFileSync(join(files[2], 'theta.npy'))));
    const motion = theta.subarray(48).reduce((sum, value, k) => sum + (value - theta[k]!) ** 2, 0);
    expect(coverage.motion!.accounted / motion).toBeCloseTo(1, 6);
    expect(coverage.motion!).toMatchObject({ all: coverage.motion!.accounted, share: 1 });
    expect(coverage.lossChange).toHaveLength(1);
    expect(coverage.lossChange[0]!.all).toBeLessThan(0);
    expect(coverage.lossChange[0]!.share).toBeCloseTo(1, 2);
    const leftOut = coverage.leftOut.map(({ name, numbers, why }) => ({ name, numbers, why }));
    expect(leftOut).toContainEqual({ name: 'base.weight', numbers: 16, why: 'held constant' });
    expect(leftOut).toContainEqual({ name: 'base.bias', numbers: 4, why: 'held constant' });
    expect(leftOut.filter(({ why }) => why === 'constant').map(({ numbers }) => numbers)).toEqual([4]);
    const page = readFileSync(join(run, 'report.html'), 'utf8')
      .replaceAll(/<[^>]*>/g, '')
      .replaceAll(/[\u00a0\u202f]/g, ' ');
    expect(page).toContain('The ledger has entries for 48 of 68 parameters (70.59 %).');
    expect(page).toContain('They made all of the known motion (by squared length).');
    expect(page).toMatch(/Their allocations are .{1,40} of the change of train \(/);
    expect(page).toContain('Held constant, as the model file has it: base.weight (16), base.bias (4)');
  });
});
