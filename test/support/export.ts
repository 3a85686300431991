import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { lca } from './cli.js';
import { npyNumbers } from './npz.js';

/** All numbers that `lca export` writes of a quantity, as NumPy's file, which stands beside the run. */
export async function exportedNumbers(
  run: string,
  what: string,
  ...flags: string[]
): Promise<Float32Array | Float64Array> {
  const path = `${run}.${what}.npy`;
  const { code, stderr } = await lca(['export', run, '--what', what, ...flags, '--format', 'npy', '--out', path]); // prettier-ignore
  expect(code, stderr).toBe(0);
  return npyNumbers(readFileSync(path));
}
