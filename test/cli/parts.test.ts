import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fingerprint, killedWhen, lca, temporaryFolder } from '../support/cli.js';
import { npyFile, npzFile } from '../support/npz.js';

const folder = temporaryFolder();
const classes = 10;
const count = 60;

/**
 * Images of which class c has its light in row c alone. What class 3 needs is seen by the first layer's column 3 · 28 and those behind it
 * only, so that its examples alone move these weights.
 */
const labels = Int32Array.from({ length: count }, (_, k) => k % classes);
const images = new Float32Array(count * 784);
labels.forEach((label, k) =>
  images.fill(0.5 + (k % 7) / 14, k * 784 + label * 28, k * 784 + label * 28 + 28),
);
const data = join(folder, 'data.npz');
writeFileSync(
  data,
  npzFile({ x: { data: images, shape: [count, 1, 28, 28] }, y: { data: labels, shape: [count] } }),
);

const groups = join(folder, 'colours.csv');
const colour = (k: number) => (k % 3 === 0 ? 'red' : 'blue');
writeFileSync(groups, ['colour', ...Array.from(labels, (_, k) => colour(k))].join('\n'));

const runFile = join(folder, 'run.yaml');
const settings = `
data: ${data}
iterations: 6
batchSize: 20
chunk: 20
lanes: 3
parts: [class, ${groups}]
keepParts: parameters
groupings: { ends: ['fc1.*', '*.bias'] }
`;
writeFileSync(runFile, settings);
const run = join(folder, 'run');
const start = ['run', runFile, '--quiet', '--allow-imbalance'];

/** Numbers of an exported quantity, row by row, with its heading. */
async function exported(...args: string[]): Promise<{ heading: string[]; rows: number[][] }> {
  const { stdout, stderr, code } = await lca(['export', run, ...args]);
  expect(stderr + String(code)).toMatch(/0$/);
  const [heading, ...lines] = stdout.trim().split('\n').map((line) => line.split(',').slice(1)); // prettier-ignore
  return { heading: heading!, rows: lines.map((line) => line.map(Number)) };
}

const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

describe('a run with parts and groupings', () => {
  it('is measured, sound, and says how it is divided', async () => {
    const { stderr, code } = await lca([...start, '--out', run]);
    expect(stderr + String(code)).toMatch(/0$/);
    const verified = await lca(['verify', run, '--sample', '2', '--quiet']);
    expect(verified.stdout + String(verified.code)).toMatch(/The run is sound\.\n0$/);
    const manifest = JSON.parse(readFileSync(join(run, 'manifest.json'), 'utf8')) as {
      objectives: { parts: { name: string; by: string; examples: number }[]; order: string }[];
      readings: { about: string; decision: string }[];
    };
    const { parts, order } = manifest.objectives[0]!;
    expect(order).toBe('parts');
    expect(parts.filter(({ by }) => by === 'class').map(({ examples }) => examples)).toEqual(
      new Array(10).fill(6),
    );
    expect(parts.filter(({ by }) => by === 'colours')).toEqual([
      { name: 'colours: blue', by: 'colours', examples: 40, blockOf: null },
      { name: 'colours: red', by: 'colours', examples: 20, blockOf: null },
    ]);
    const reading = manifest.readings.find(({ about }) => about === 'parts of train');
    expect(reading!.decision).toBe('2 groups: blue, red; the first line, colour, is a heading');
  });

  it('exports a part by name and by index, and parts that add up to the whole', async () => {
    const whole = await exported('--what', 'allocation', '--entity', 'tensor');
    const byClass = await Promise.all([...Array(classes).keys()].map((c) => exported('--what', 'allocation', '--entity', 'tensor', '--part', `class ${c}`))); // prettier-ignore
    const byColour = await Promise.all(['blue', 'red'].map((name) => exported('--what', 'allocation', '--entity', 'tensor', '--part', `colours: ${name}`))); // prettier-ignore
    whole.rows.forEach((row, t) => {
      const scale = Math.max(...row.map(Math.abs));
      row.forEach((value, k) => {
        for (const parts of [byClass, byColour]) {
          expect(Math.abs(total(parts.map(({ rows }) => rows[t]![k]!)) - value) / scale).toBeLessThan(1e-12);
        }
      });
    });
    expect(await exported('--what', 'loss', '--part', '3')).toEqual(
      await exported('--what', 'loss', '--part', 'class 3'),
    );
    const unknown = await lca(['export', run, '--what', 'loss', '--part', 'class 12']);
    expect(unknown.stderr + String(unknown.code)).toMatch(/one of class 0, class 1.*2$/s);
  });

  it('shows what was planted: weights that only one class can move have its allocation alone', async () => {
    const { heading, rows } = await exported('--what', 'allocation', '--part', 'class 3');
    const whole = await exported('--what', 'allocation');
    const own = heading.flatMap((name, k) => {
      const place = /^fc1\.weight\[(\d+)\]$/.exec(name);
      return place !== null && Math.floor((Number(place[1]) % 784) / 28) === 3 ? [k] : [];
    });
    expect(own).toHaveLength(28 * 100);
    rows.forEach((row, t) => {
      expect(own.some((k) => row[k] !== 0)).toBe(true);
      for (const k of own) expect(row[k]).toBe(whole.rows[t]![k]);
    });
    const other = await exported('--what', 'allocation', '--part', 'class 4');
    for (const row of other.rows) expect(own.every((k) => row[k] === 0)).toBe(true);
  });

  it('has sums and signs by every entity, the user’s patterns too, from the same allocations', async () => {
    const allocation = await exported('--what', 'allocation');
    const tensor = (name: string) => name.replace(/\[\d+\]$/, '');
    const cells: Readonly<Record<string, (name: string, k: number) => string | null>> = {
      tensor,
      layer: (name) => tensor(name).split('.')[0]!,
      module: (name) => tensor(name).split('.')[0]!,
      kind: (name) => (name.includes('.bias') ? 'bias' : 'kernel'),
      ends: (name) => (name.startsWith('fc1.') ? 'fc1.*' : name.includes('.bias') ? '*.bias' : 'other'),
      input: (name) => {
        const width = { 'fc1.weight': 784, 'fc2.weight': 100, 'fc3.weight': 50 }[tensor(name)];
        return width === undefined
          ? null
          : `${tensor(name)}[in ${Number(/\[(\d+)\]/.exec(name)![1]) % width}]`;
      },
    };
    for (const [entity, cellOf] of Object.entries(cells)) {
      const sums = await exported('--what', 'allocation', '--entity', entity);
      const helping = await exported('--what', 'helping', '--entity', entity);
      const [row] = allocation.rows;
      const found = new Map(sums.heading.map((cell) => [cell, { sum: 0, size: 0, helping: 0 }]));
      row!.forEach((value, k) => {
        const cell = found.get(cellOf(allocation.heading[k]!, k) ?? '');
        if (cell === undefined) return;
        cell.sum += value;
        cell.size += Math.abs(value);
        if (value < 0) cell.helping++;
      });
      sums.heading.forEach((cell, k) => {
        const { sum, size, helping: negative } = found.get(cell)!;
        expect(Math.abs(sums.rows[0]![k]! - sum)).toBeLessThanOrEqual(size * 1e-7);
        expect(helping.rows[0]![k]).toBe(negative);
      });
    }
  });

  it('ends with the same bytes after being killed', async () => {
    const expected = fingerprint(join(run, 'ledger.zarr'));
    const killed = join(folder, 'killed');
    const journal = () =>
      existsSync(join(killed, 'journal')) ? readFileSync(join(killed, 'journal'), 'utf8') : '';
    expect(await killedWhen([...start, '--out', killed], () => journal() !== '')).toBe(true);
    const resume = ['resume', killed, '--quiet', '--allow-imbalance'];
    // It may end before it is killed: segments are few, and stored together.
    await killedWhen(resume, () => journal().includes('"segment"'));
    const { stderr, code } = await lca(['resume', killed, '--quiet', '--allow-imbalance']);
    expect(stderr + String(code)).toMatch(/0$/);
    expect(fingerprint(join(killed, 'ledger.zarr'))).toEqual(expected);
  });
});

describe('files of groups', () => {
  it.each([
    ['too few names', 'few.csv', 'a\nb\n', /2 group names.*60, one for each example of train/s],
    ['an empty name', 'empty.csv', `${'a\n'.repeat(30)}\n${'a\n'.repeat(29)}`, /line 31 is ""/],
    ['two columns', 'two.csv', 'a,b\n'.repeat(60), /2 group names for each example/],
    ['floats', 'floats.npy', npyFile(new Float64Array(60), [60]), /float64 as group names/],
    ['two axes', 'axes.npy', npyFile(new Int32Array(120), [60, 2]), /2 group names for each example/],
  ])('are refused with %s', async (_, name, content, message) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    const { stderr, code } = await lca(['run', '--data', data, '--batch-size', '20', '--parts', path, '--out', join(folder, 'refused'), '--quiet']); // prettier-ignore
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });

  it('are refused for an objective that is not measured', async () => {
    const { stderr } = await lca([
      'run',
      '--data',
      data,
      '--batch-size',
      '20',
      '--parts',
      `test:${groups}`,
      '--out',
      join(folder, 'refused'),
    ]);
    expect(stderr).toMatch(/of test, which is not measured/);
  });
});
