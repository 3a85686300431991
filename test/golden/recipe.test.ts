import { spawnSync } from 'node:child_process';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openRun } from '../../src/store/open.js';
import { lca, temporaryFolder } from '../support/cli.js';
import { exportedNumbers } from '../support/export.js';
import { npzFile } from '../support/npz.js';
import { size, tensors, writeRecordedRun } from '../support/recorded.js';

const python = '/usr/bin/python3';
const here = spawnSync(python, ['-c', 'import torch, numpy']).status === 0;
if (!here) console.log(`skipped: ${python} has no PyTorch`);

const documented = readFileSync(resolve(import.meta.dirname, '../../docs/TRAJECTORIES.md'), 'utf8');

/** The Python of docs/TRAJECTORIES.md, so that what is documented is what is tried. */
function recipe(): string {
  return /```python\n([^]*?)```/.exec(documented)![1]!;
}

/** The documented line that ends in such a remark. */
function lineOf(remark: string): string {
  const line = documented.split('\n').find((one) => /^(rows\.append|np\.savez)/.test(one) && one.includes(`# ${remark}`)); // prettier-ignore
  return line!;
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

/** What records, line by line as it is documented: variables of a TensorFlow model, or the tree of parameters of Flax. */
const recorders = {
  TensorFlow: `
    model.trainable_variables = [Variable(f"{name}/{part}:0", value) for name, parts in params.items() for part, value in parts.items()]
    ${lineOf('TensorFlow')}`,
  Flax: `
    ${lineOf('Flax')}`,
};

/** Both store kernels [in, out]; numpy stands for them. */
const standIn = (record: string) => `
import types, numpy as np
class Variable:
    def __init__(self, name, value): self.name, self.value = name, value
    def numpy(self): return self.value
def flatten_dict(tree, sep):
    return {f"{name}{sep}{part}": value for name, parts in tree.items() for part, value in parts.items()}
recorded, model, rows = np.load("named.npz"), types.SimpleNamespace(), []
for t in range(3):
    params = {layer: {"kernel": recorded[f"{own}.weight"][t].T, "bias": recorded[f"{own}.bias"][t]} for layer, own in [("dense", "a"), ("dense_1", "b")]}
${record}
${lineOf('both')}
`;

describe.skipIf(spawnSync(python, ['-c', 'import numpy']).status !== 0)('the documented lines', () => {
  const folder = temporaryFolder();
  const file = (name: string) => join(folder, name);
  let made = 0;

  async function allocation(trajectory: string): Promise<Float32Array | Float64Array> {
    const given = [
      '--model',
      file('model.onnx'),
      '--trajectory',
      file(trajectory),
      '--data',
      file('data.npz'),
    ];
    const out = file(`run-${made++}`);
    const settings = ['--engine', 'reference', '--workers', '1', '--chunk', '200', '--tolerance', 'none', '--allow-imbalance', '--quiet']; // prettier-ignore
    const { code, stderr } = await lca(['measure', ...given, ...settings, '--out', out]);
    expect(code, stderr).toBe(0);
    return exportedNumbers(out, 'allocation');
  }

  it.each(Object.entries(recorders))(
    'for %s record what lca measures as it does PyTorch’s',
    async (name, record) => {
      const { theta } = writeRecordedRun(folder, 3);
      const arrays = tensors.map(({ name: tensor, shape }, k) => {
        const length = shape.reduce<number>((product, extent) => product * extent, 1);
        const offset = tensors.slice(0, k).reduce((sum, one) => sum + one.shape.reduce<number>((product, extent) => product * extent, 1), 0); // prettier-ignore
        const rows = [0, 1, 2].flatMap((t) => [...theta.subarray(t * size + offset, t * size + offset + length)]); // prettier-ignore
        return [tensor, { data: Float32Array.from(rows), shape: [3, ...shape] }] as const;
      });
      writeFileSync(file('named.npz'), npzFile(Object.fromEntries(arrays)));
      writeFileSync(file('record.py'), standIn(record));
      const { status, stderr } = spawnSync(python, ['record.py'], { cwd: folder, encoding: 'utf8' });
      expect(status, stderr).toBe(0);
      renameSync(file('trajectory.npz'), file(`${name}.npz`));
      expect(await allocation(`${name}.npz`)).toEqual(await allocation('trajectory.safetensors'));
    },
  );
});
