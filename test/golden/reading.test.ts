import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openRun } from '../../src/store/open.js';
import { lca, temporaryFolder } from '../support/cli.js';

/** What a case should come to: losses [T+1] and allocations [T][size] by parameter, or a refusal of these words. */
interface Expected {
  readonly refused?: string;
  readonly loss: readonly number[];
  readonly allocation: Readonly<Record<string, readonly (readonly number[])[]>>;
}

interface Case {
  readonly name: string;
  readonly about: string;
  /** Arguments of `lca measure` but model, engine and output. */
  readonly args: readonly string[];
  /** Words of a warning. */
  readonly warned?: string;
}

const out = temporaryFolder();

/** Cases of this repository: what people keep, written by generate.py. */
const own = join(import.meta.dirname, 'reading');
const ownCases = readdirSync(own)
  .filter((name) => existsSync(join(own, name, 'about.json')))
  .map((name): Case => {
    const { about, flags, trajectory, warned } = JSON.parse(
      readFileSync(join(own, name, 'about.json'), 'utf8'),
    ) as { about: string; flags: string; trajectory: string; warned?: string };
    const args = ['--trajectory', trajectory, '--data', 'data.npz', ...flags.split(' ').filter(Boolean)];
    return { name, about, args, ...(warned === undefined ? {} : { warned }) };
  });

/** Further cases beside the repository. */
const shared = resolve(import.meta.dirname, '../../../shared/cases');
const sharedCases = (existsSync(shared) ? readdirSync(shared) : [])
  .filter((name) => existsSync(join(shared, name, 'command.txt')))
  .map((name): Case => {
    const [command = '', ...about] = readFileSync(join(shared, name, 'command.txt'), 'utf8').split('\n');
    const words = command.split(' ').slice(2);
    const dropped = ['--model', '--out', '--tolerance'].flatMap((flag) => [
      words.indexOf(flag),
      words.indexOf(flag) + 1,
    ]);
    return { name, about: about.join(' ').trim(), args: words.filter((_, k) => !dropped.includes(k)) };
  });
if (sharedCases.length === 0) console.log(`skipped: no ${shared}`);

async function measured(
  folder: string,
  { name, args }: Case,
): Promise<{ run: string; code: number | null; stderr: string }> {
  const run = join(out, name);
  const paths = args.map((arg) => (existsSync(join(folder, name, arg)) ? join(folder, name, arg) : arg));
  const model = join(folder, name, 'model.onnx');
  const fixed = ['--model', model, '--tolerance', 'none', '--allow-imbalance', '--engine', 'reference', '--workers', '1', '--out', run, '--quiet']; // prettier-ignore
  return { run, ...(await lca(['measure', ...paths, ...fixed])) };
}

async function rows(run: string, name: string): Promise<number[][]> {
  const read: number[][] = [];
  for await (const row of (await openRun(run)).array(name).rows()) read.push([...row]);
  return read;
}

/** Numbers of float32 inputs: their rounding is all that may differ. */
const bound = 2e-7;

async function judge(folder: string, each: Case): Promise<void> {
  const expected = JSON.parse(readFileSync(join(folder, each.name, 'expected.json'), 'utf8')) as Expected;
  const { run, code, stderr } = await measured(folder, each);
  if (expected.refused !== undefined) {
    expect(stderr.replaceAll('\n', ' ')).toMatch(new RegExp(expected.refused));
    expect(code).toBe(2);
    return;
  }
  expect(code, stderr).toBe(0);
  if (each.warned !== undefined) expect(stderr).toContain(each.warned);
  const { manifest } = await openRun(run);
  expect(manifest.parameters.map(({ name }) => name).sort()).toEqual(Object.keys(expected.allocation).sort());
  const losses = (await rows(run, 'loss/train')).flat();
  expected.loss.forEach((loss, t) => {
    expect(Math.abs(losses[t]! - loss)).toBeLessThan(bound * Math.max(1, loss));
  });
  const allocation = await rows(run, 'allocation/train');
  const largest = Math.max(...Object.values(expected.allocation).flat(2).map(Math.abs), Number.MIN_VALUE);
  for (const { name, offset, size } of manifest.parameters) {
    allocation.forEach((row, t) => {
      const ours = row.slice(offset, offset + size);
      const worst = Math.max(...ours.map((value, k) => Math.abs(value - expected.allocation[name]![t]![k]!)));
      expect(worst / largest, `${name} in segment ${t}`).toBeLessThan(10 * bound);
    });
  }
}

describe('files as people keep them, measured right or refused in words', () => {
  it.each(ownCases)('$name: $about', (each) => judge(own, each));
});

describe.skipIf(sharedCases.length === 0)('further files', () => {
  it.each(sharedCases)('$name: $about', (each) => judge(shared, each));
});
