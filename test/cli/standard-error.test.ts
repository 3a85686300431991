import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Manifest } from '../../src/format/manifest.js';
import type { RunReader } from '../../src/format/reader.js';
import { openRun } from '../../src/store/open.js';
import { lca, temporaryFolder } from '../support/cli.js';
import { npyNumbers } from '../support/npz.js';
import { writeRecordedRun } from '../support/recorded.js';

const folder = temporaryFolder();
const file = (name: string) => join(folder, name);
const [total, drawn, segments, classes] = [400, 160, 2, 5];
let run: RunReader;

beforeAll(async () => {
  writeRecordedRun(folder, segments + 1);
  const files = ['--model', file('model.onnx'), '--trajectory', file('trajectory.safetensors'), '--data', file('data.npz')]; // prettier-ignore
  const settings = ['--sample', String(drawn), '--parts', 'class', '--chunk', '80', '--engine', 'reference', '--workers', '1', '--tolerance', 'none', '--allow-imbalance', '--quiet']; // prettier-ignore
  const { code, stderr } = await lca(['measure', ...files, ...settings, '--out', file('run')]);
  expect(code, stderr).toBe(0);
  run = await openRun(file('run'));
});

type Part = Manifest['objectives'][number]['parts'][number];

/** Rows of an array of the objective `train`. */
async function rowsOf(name: string): Promise<Float64Array[]> {
  const rows: Float64Array[] = [];
  for await (const row of run.array(`${name}/train`).rows()) rows.push(Float64Array.from(row));
  return rows;
}

/**
 * The standard errors as docs/NUMERICS.md has them, √((1 − n/N) · B/(B−1) · Σ_b (c_b − n_b/n · Σ c)²), of what each part contributes [parts, width],
 * over the blocks that `isBlock` tells.
 */
function errorsOf(contributed: Float64Array, isBlock: (part: Part) => boolean, from: number): number[] {
  const { parts } = run.manifest.objectives[0]!;
  const width = contributed.length / parts.length;
  const blocks = parts.flatMap((part, index) => (isBlock(part) ? [{ index, examples: part.examples }] : []));
  expect(blocks).toHaveLength(16);
  const n = blocks.reduce((sum, { examples }) => sum + examples, 0);
  return Array.from({ length: width }, (_, k) => {
    const own = blocks.map(({ index }) => contributed[index * width + k]!);
    const sum = own.reduce((all, value) => all + value, 0);
    const squares = own.reduce((all, c, b) => all + (c - (blocks[b]!.examples / n) * sum) ** 2, 0);
    return Math.sqrt((1 - n / from) * (16 / 15) * squares);
  });
}

/** Numbers of an exported file without those that count its rows. */
async function exported(format: string, ...asked: string[]): Promise<number[]> {
  const out = file(`errors.${format}`);
  const { code, stderr } = await lca(['export', run.place, ...asked, '--format', format, '--out', out]);
  expect(code, stderr).toBe(0);
  const bytes = readFileSync(out);
  if (format === 'npy') return [...npyNumbers(bytes)];
  if (format === 'json') return (JSON.parse(bytes.toString()) as { rows: number[][] }).rows.flat();
  return bytes.toString().trim().split('\n').slice(1).flatMap((line) => line.split(',').slice(1).map(Number)); // prettier-ignore
}

const isBlock = ({ by }: Part): boolean => by === 'block';
const columns = { layer: 'part_layer_sums', neuron: 'part_neuron_sums', tensor: 'part_tensor_sums' };

describe.each(['npy', 'csv', 'json'])('standard errors of a sampled run, as %s', (format) => {
  const expectAll = (found: readonly number[], expected: readonly number[]) => {
    expect(found).toHaveLength(expected.length);
    found.forEach((value, k) => expect(value / expected[k]!).toBeCloseTo(1, 12)); // prettier-ignore
  };

  it.each(Object.entries(columns))('by %s are those of the blocks’ stored sums', async (entity, column) => {
    const sums = await rowsOf(column);
    expect(sums).toHaveLength(segments);
    const expected = sums.flatMap((row) => errorsOf(row, isBlock, total));
    expect(expected.every((value) => value > 0)).toBe(true);
    expectAll(await exported(format, '--what', 'standard_error', '--entity', entity), expected);
  });

  it('of a class are those of its blocks, of the share of the set that it has in the sample', async () => {
    const { parts } = run.manifest.objectives[0]!;
    const { name, examples } = parts.find(({ by }) => by === 'class')!;
    const expected = (await rowsOf('part_layer_sums')).flatMap((row) =>
      errorsOf(row, ({ blockOf }) => blockOf === name, (examples / drawn) * total),
    ); // prettier-ignore
    expectAll(await exported(format, '--what', 'standard_error', '--entity', 'layer', '--part', name), expected); // prettier-ignore
    expect(parts.filter(({ by }) => by === 'class')).toHaveLength(classes);
  });

  it('of the loss are those of the blocks’ losses', async () => {
    const expected = (await rowsOf('part_loss')).flatMap((row) => errorsOf(row, isBlock, total));
    expect(expected).toHaveLength(segments + 1);
    expectAll(await exported(format, '--what', 'loss_standard_error'), expected);
  });
});
