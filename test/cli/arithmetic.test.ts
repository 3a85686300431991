import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findCompiler } from '../../src/engines/native/toolchain/compiler.js';
import { compilerForAmx } from '../support/amx/compiler.js';
import { lcaProcess, temporaryFolder } from '../support/cli.js';

const folder = temporaryFolder();
const forAmx = compilerForAmx();
const { compiler } = findCompiler();
const hasUnit = forAmx !== null || compiler?.hasMatrixUnit === true;
if (!hasUnit) console.log('skipped: no processor with AVX-512 or AMX, or no compiler for it');

/** Where the matrix unit's instructions are carried out, by the processor or in its place. */
const env = forAmx === null ? {} : { CC: forAmx.compiler!, XDG_CACHE_HOME: forAmx.cacheFolder! };
const small = ['mnist-fc-sgd', '--subset', '24', '--batch-size', '8', '--iterations', '2', '--validation', '0', '--chunk', '24']; // prettier-ignore

const engineOf = (run: string): string => {
  const manifest = JSON.parse(readFileSync(join(run, 'manifest.json'), 'utf8')) as { engine: { name: string } }; // prettier-ignore
  return manifest.engine.name;
};

async function succeeds(args: readonly string[]): Promise<{ stdout: string; told: string }> {
  const { code, stdout, stderr } = await lcaProcess(args, env);
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  return { stdout, told: stdout + stderr };
}

describe.skipIf(!hasUnit)('--arithmetic', () => {
  const [split, plain] = ['split', 'plain'].map((name) => join(folder, name)) as [string, string];

  it('split measures on the matrix unit what float32 measures on vectors, and says so', async () => {
    await succeeds(['train', ...small, '--arithmetic', 'split', '--out', split]);
    // The run knows its engine, which is not chosen again.
    await succeeds(['measure', split]);
    await succeeds(['run', ...small, '--arithmetic', 'float32', '--out', plain]);
    if (forAmx !== null) {
      const { code, stderr } = await lcaProcess(['measure', split]);
      expect(code).toBe(2);
      expect(stderr).toMatch(
        /native-split, which the run was made with[^]*go on where it is, or make a new run/,
      );
    }
    expect([split, plain].map(engineOf)).toEqual(['native-split', 'native']);
    const verified = await succeeds(['verify', '--sample', '1', split]);
    expect(verified.told).toContain('1 segment recomputed in float64');
    const { told } = await succeeds(['compare', split, plain]);
    expect(told).toMatch(/native-split[^]*native[^]*docs\/NUMERICS\.md/);
    const layerSums = async (run: string) => (await succeeds(['export', run, '--what', 'layer_sums'])).stdout;
    const [one, other] = [await layerSums(split), await layerSums(plain)];
    expect(one).not.toBe(other);
    expect(numbersOf(one)).toEqual(numbersOf(other).map((value) => expect.closeTo(value, 6) as number));
  });

  it('auto says by how much the one that it takes is faster', async () => {
    const { told } = await succeeds(['run', ...small, '--dry-run', '--out', join(folder, 'auto')]);
    expect(told).toMatch(/not used: native(-split)?: native(-split)? was [\d.]+ times as fast here/);
  });

  it('split is refused for a network that has no layer of bytes, and auto leaves it as it is', async () => {
    const lenet = ['mnist-lenet-sgd', ...small.slice(1), '--out', join(folder, 'lenet')];
    const { code, stderr } = await lcaProcess(['run', ...lenet, '--arithmetic', 'split'], env);
    expect(code).toBe(2);
    expect(stderr).toMatch(/native-split: no layer of this network takes bytes[^]*--arithmetic auto/);
    expect(existsSync(join(folder, 'lenet'))).toBe(false);
    const { told } = await succeeds(['run', ...lenet, '--dry-run']);
    expect(told).not.toContain('native-split');
  });

  it.skipIf(forAmx === null)('split is refused where the processor has no such unit', async () => {
    const { code, stderr } = await lcaProcess(['run', ...small, '--arithmetic', 'split', '--out', join(folder, 'none')]); // prettier-ignore
    expect(code).toBe(2);
    expect(stderr).toMatch(/native-split.*no matrix unit/);
  });
});

const numbersOf = (csv: string): number[] =>
  csv.trim().split('\n').slice(1).flatMap((line) => line.split(',').map(Number)); // prettier-ignore
