import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  exports: Record<string, { default: string }>;
};
const folder = mkdtempSync(join(tmpdir(), 'lossledger-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const examples = [...readFileSync(join(root, 'docs/LIBRARY.md'), 'utf8').matchAll(/```js\n(.*?)```/gs)].map(
  (match) => match[1]!,
);

/** Runs an example as a user of the package would, and returns what it prints. */
async function run(example: string): Promise<string> {
  const code = example.replace(/'lossledger(\/\w+)?'/g, (_, subpath: string | undefined) => {
    const file = exports[subpath === undefined ? '.' : `.${subpath}`]!.default;
    return JSON.stringify(pathToFileURL(join(root, file)).href);
  });
  writeFileSync(join(folder, 'example.mjs'), code);
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['example.mjs'], { cwd: folder });
  expect(stderr).toBe('');
  return stdout;
}

describe('the documented use as a library', () => {
  it('makes a run and reads it', async () => {
    const printed = await run(examples[0]!);
    expect(printed).toMatch(/^\[ 'fc1', 'fc2', 'fc3' \] Float64Array\(9\) \[/);
    expect(printed.match(/^84060$/gm)).toHaveLength(3);
    expect(Math.abs(Number(printed.trim().split('\n').at(-1)))).toBeLessThan(5);
  });

  it('measures an objective of one’s own', async () => {
    const lines = (await run(examples.at(-1)!)).trim().split('\n');
    expect(lines).toHaveLength(5);
    for (const line of lines) {
      const [, change, total, residual] = line.split(' ').map(Number);
      expect(change).toBeLessThan(0);
      expect(Math.abs(residual!)).toBeLessThan(1e-3);
      expect(total! - change!).toBeCloseTo(residual!, 12);
    }
  });
});
