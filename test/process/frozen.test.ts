import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ended, lca, temporaryFolder } from '../support/cli.js';
import { pythonPackage, pythonWith } from '../support/python.js';

const python = pythonWith('torch', 'numpy');
if (python === null) console.log('skipped: no Python with torch and numpy');

/** A network whose first layer is frozen, as fine-tuning has it; the seed is that of its numbers. */
const network = `
import sys, torch, lossledger
from torch import nn
from torch.nn.functional import cross_entropy

def network(seed):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))
    model[0].requires_grad_(False)
    return model

x = torch.linspace(-1, 1, 48).reshape(12, 4)
y = torch.arange(12) % 3
`;
const training = `${network}
for folder, frozen in [("digests", False), ("rows", True)]:
    model = network(0)
    optimizer = torch.optim.SGD(model[2].parameters(), lr=0.3)
    with lossledger.Recorder(model, optimizer, folder, frozen=frozen):
        for step in range(3):
            optimizer.zero_grad()
            cross_entropy(model(x), y).backward()
            optimizer.step()
`;
const objective = `${network}
lossledger.serve(network(int(sys.argv[1])), lambda model, x, y: cross_entropy(model(x), y, reduction="none"), [x, y])
`;

describe.skipIf(python === null)('parameters that an objective process holds frozen', () => {
  it('must be those of the training, where the recording has their digests or rows', async () => {
    const folder = temporaryFolder();
    const env = { PYTHONPATH: pythonPackage };
    const trained = await ended(spawn(python!, ['-c', training], { cwd: folder, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })); // prettier-ignore
    expect(trained.code, trained.stderr).toBe(0);
    const program = join(folder, 'objective.py');
    writeFileSync(program, objective);
    for (const recording of ['digests', 'rows']) {
      const measured = (seed: number) => {
        const command = `PYTHONPATH='${pythonPackage}' '${python!}' '${program}' ${seed}`;
        const out = join(folder, `${recording}-${seed}`);
        return lca(['measure', '--process', command, '--trajectory', join(folder, recording), '--quiet', '--out', out]); // prettier-ignore
      };
      const other = await measured(1);
      expect(other.code).toBe(2);
      expect(other.stderr).toMatch(/0\.weight, 0\.bias, which the objective process holds frozen/);
      const same = await measured(0);
      expect(same.code, same.stderr).toBe(0);
    }
  });
});
