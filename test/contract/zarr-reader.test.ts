import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openRun, type RunFolder } from '../../src/index.js';
import { exportedNumbers } from '../support/export.js';
import { lca, temporaryFolder } from '../support/cli.js';
import { writeRecordedRun } from '../support/recorded.js';

/** A reader of Zarr v3 that was written from its specification, independent of this project and of zarrita. */
const reader = resolve(import.meta.dirname, '../../../shared/recipes');

/** Why it cannot be asked here; null where it can. */
function absence(): string | null {
  if (!existsSync(join(reader, 'zarr3.py'))) return '../shared/recipes/zarr3.py is not here';
  const { status } = spawnSync('python3', ['-c', 'import numpy']);
  return status === 0 ? null : 'python3 with numpy is not here';
}

/** Shape and digest of an array's numbers as little-endian float64. */
interface Content {
  readonly shape: readonly number[];
  readonly sha256: string;
}

/** Reads arrays with the independent reader. */
const script = `
import hashlib, json, sys
sys.path.insert(0, sys.argv[1])
import zarr3
found = {}
for name in sys.argv[3:]:
    numbers, metadata = zarr3.read(sys.argv[2], name)
    found[name] = {'shape': metadata['shape'], 'sha256': hashlib.sha256(numbers.astype('<f8').tobytes()).hexdigest()}
print(json.dumps(found))
`;

function readElsewhere(store: string, names: readonly string[]): Record<string, Content> {
  const output = execFileSync('python3', ['-c', script, reader, store, ...names], { encoding: 'utf8' });
  return JSON.parse(output) as Record<string, Content>;
}

function sha256(numbers: ArrayLike<number>): string {
  const bytes = Buffer.alloc(8 * numbers.length);
  for (let k = 0; k < numbers.length; k++) bytes.writeDoubleLE(numbers[k]!, 8 * k);
  return createHash('sha256').update(bytes).digest('hex');
}

/** What `lca export` reads. */
async function readHere(run: RunFolder, name: string): Promise<Content> {
  const { shape, rows } = run.array(name);
  const numbers: number[] = [];
  for await (const row of rows()) for (const value of row) numbers.push(value);
  return { shape, sha256: sha256(numbers) };
}

const absent = absence();
if (absent !== null) console.log(`skipped: ${absent}`);

describe.skipIf(absent !== null)('an independent reader of Zarr', () => {
  const folder = temporaryFolder();
  const out = join(folder, 'run');
  /** More segments than a window has, so that the last chunk is not full. */
  const segments = 70;

  beforeAll(async () => {
    writeRecordedRun(folder, segments + 1);
    const file = (name: string) => join(folder, name);
    const input = [
      '--model',
      file('model.onnx'),
      '--trajectory',
      file('trajectory.safetensors'),
      '--data',
      file('data.npz'),
    ];
    const settings = ['--subset', '40', '--chunk', '20', '--rule', 'trapezoid', '--engine', 'onnxruntime'];
    const { code, stderr } = await lca(['measure', ...input, ...settings, '--out', out, '--quiet']);
    expect(code, stderr).toBe(0);
  });

  it('finds the numbers of every array', async () => {
    const run = await openRun(out);
    const found = readElsewhere(join(out, 'ledger.zarr'), run.arrayNames);
    expect(run.arrayNames.length).toBeGreaterThan(12);
    for (const name of run.arrayNames) expect(found[name], name).toEqual(await readHere(run, name));
  });

  it('finds what lca export writes', async () => {
    const exported = await exportedNumbers(out, 'allocation');
    const found = readElsewhere(join(out, 'ledger.zarr'), ['allocation/train']);
    expect(found['allocation/train']!.sha256).toBe(sha256(exported));
  });
});
