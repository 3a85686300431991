import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openRun } from '../../src/store/open.js';
import { lca, temporaryFolder } from '../support/cli.js';

const python = '/usr/bin/python3';
const here = spawnSync(python, ['-c', 'import torch, numpy']).status === 0;
if (!here) console.log(`skipped: ${python} has no PyTorch`);

/** The Python of docs/TRAJECTORIES.md, so that what is documented is what is tried. */
function recipe(): string {
  const text = readFileSync(resolve(import.meta.dirname, '../../docs/TRAJECTORIES.md'), 'utf8');
  return /```python\n([^]*?)```/.exec(text)![1]!;
}

/** Trains three steps of a network with dropout, records it, and prints the loss of all data at each step without dropout. */
const training = `
torch.manual_seed(0)
nn = torch.nn
model = nn.Sequential(nn.Linear(12, 9), nn.ReLU(), nn.Dropout(0.5), nn.Linear(9, 3))
x = torch.randn(40, 12); y = torch.randint(0, 3, (40,))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
recorder, losses = Recorder(model), []
def record(step):
    recorder.record(step)
    model.eval(); losses.append(nn.functional.cross_entropy(model(x), y).item()); model.train()
record(0)
for step in range(3):
    optimizer.zero_grad(); nn.functional.cross_entropy(model(x), y).backward(); optimizer.step()
    record(step + 1)
recorder.save(".", x[:4])
np.savez("data.npz", x=x.numpy(), y=y.numpy())
print(losses)
`;

describe.skipIf(!here)('the documented PyTorch recipe', () => {
  it('records a run that lca measures, with the losses that PyTorch had', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'record.py'), recipe() + training);
    const recorded = spawnSync(python, ['record.py'], { cwd: folder, encoding: 'utf8' });
    expect(recorded.status, recorded.stderr).toBe(0);
    const losses = JSON.parse(recorded.stdout.trim().split('\n').at(-1)!) as number[];
    const file = (name: string) => join(folder, name);
    const given = ['--model', file('model.onnx'), '--trajectory', file('trajectory.npz'), '--data', file('data.npz')];
    const { code, stderr } = await lca(['measure', ...given, '--out', file('run'), '--quiet']);
    expect(code, stderr).toBe(0);
    const run = await openRun(file('run'));
    expect(run.manifest.parameters.map(({ name }) => name)).toEqual(['0.weight', '0.bias', '3.weight', '3.bias']);
    let row = 0;
    for await (const [loss] of run.array('loss/train').rows()) expect(loss).toBeCloseTo(losses[row++]!, 6);
    expect(row).toBe(4);
  });
}); // prettier-ignore
