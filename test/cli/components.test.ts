import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkConfig } from '../../src/experiment/config/file.js';
import { openExperiment } from '../../src/experiment/experiment.js';
import { createRun, experimentOf } from '../../src/experiment/manifest.js';
import { columnsOf } from '../../src/format/read-array.js';
import { quantityOf } from '../../src/run/export/quantity.js';
import type { Quantity } from '../../src/run/export/selection.js';
import { measureRun } from '../../src/run/measure.js';
import { trainRun } from '../../src/run/train.js';
import { openRun, resumeRun } from '../../src/store/open.js';
import { fingerprint, lca, temporaryFolder } from '../support/cli.js';
import { npyFile, npzFile } from '../support/npz.js';
import { size, tensors, writeRecordedRun } from '../support/recorded.js';

const folder = temporaryFolder();
const file = (name: string) => join(folder, name);
const rows = 4;
const { theta } = writeRecordedRun(folder, rows);

const settings = {
  model: file('model.onnx'), data: file('data.npz'), divisor: 1, engine: 'onnxruntime', chunk: 200, batchSize: 20, iterations: 7,
  momentum: 0.9, components: true, keepComponents: 'parameters', basis: 'pca:2',
} as const; // prettier-ignore

/** Trains and measures into a folder of that name, stopping and going on after `stops` segments each time. */
async function made(name: string, stops: number): Promise<string> {
  const experiment = await openExperiment(checkConfig(settings, 'the test'));
  let run = await createRun(file(name), experiment);
  await trainRun(experiment, run);
  for (;;) {
    const stop = new AbortController();
    let done = 0;
    const update = () => {
      if (++done === stops) stop.abort();
    };
    const progress = { start: () => undefined, update, stop: () => undefined };
    const stopped = await measureRun(await experimentOf(run), run, { workers: 1, progress, signal: stop.signal }).then(() => false, () => stop.signal.aborted); // prettier-ignore
    await run.close();
    if (!stopped) return file(name);
    run = await resumeRun(file(name));
  }
}

async function exported(run: string, asked: Quantity): Promise<{ heading: string[]; rows: number[][] }> {
  const array = quantityOf(await openRun(run), asked);
  const found: number[][] = [];
  for await (const row of array.rows()) found.push([...row]);
  return { heading: columnsOf(array), rows: found };
}

describe('a run with components', () => {
  let run: string;
  beforeAll(async () => {
    run = await made('whole', Infinity);
  });

  it('is sound, and the same to the byte when it was stopped in between', async () => {
    const verified = await lca(['verify', run, '--quiet']);
    expect(verified.stdout + String(verified.code)).toMatch(/The run is sound\.\n0$/);
    expect(fingerprint(join(await made('stopped', 3), 'ledger.zarr'))).toEqual(
      fingerprint(join(run, 'ledger.zarr')),
    );
  });

  it('exports a component by name, and those by age together as momentum', async () => {
    const whole = await exported(run, { what: 'allocation', entity: 'layer' });
    const of = (name: string) => exported(run, { what: 'allocation', entity: 'layer', component: name }); // prettier-ignore
    const parts = await Promise.all(['gradient', 'momentum', 'rounding'].map(of));
    const old = await of('momentum/8+');
    expect(parts.map(({ heading }) => heading)).toEqual([whole.heading, whole.heading, whole.heading]);
    whole.rows.forEach((row, t) => {
      row.forEach((value, k) => {
        const sum = parts.reduce((total, part) => total + part.rows[t]![k]!, 0);
        expect(sum).toBeCloseTo(value, 12);
      });
    });
    expect(parts[1]!.rows[0]).toEqual([0, 0]);
    expect(parts[1]!.rows[1]![0]).not.toBe(0);
    expect(old.rows.flat().every((value) => value === 0)).toBe(true);
    const single = await exported(run, { what: 'allocation', component: 'gradient' });
    expect(single.heading).toHaveLength(size);
  });

  it.each([
    [{ what: 'loss', component: 'gradient' }, /loss of a component.*allocation, with --entity/s],
    [{ what: 'allocation', component: 'drag' }, /one of momentum, gradient, momentum\/1/],
    [{ what: 'allocation', component: 'gradient', part: '0' }, /components of parts are not kept/],
    [{ what: 'evaluations', component: 'gradient' }, /evaluations of a component/],
  ])('refuses to export %s', async (asked, message) => {
    await expect(exported(run, asked)).rejects.toThrow(message);
  });

  it('has the examples of every mini-batch by their places in the source', async () => {
    const [batches, order, split] = await Promise.all(['batches', 'order', 'split'].map((what) => exported(run, { what }))); // prettier-ignore
    const places = split!.rows.flat();
    expect(new Set(places).size).toBe(places.length);
    expect(batches!.rows).toEqual(order!.rows.map((row) => row.map((example) => places[example])));
  });

  it('has the signs of the gradients, and counts their changes by parameter and by entity', async () => {
    const signs = await exported(run, { what: 'gradient_sign' });
    expect(signs.rows.map(({ length }) => length)).toEqual(new Array(8).fill(Math.ceil(size / 8)));
    const bit = (t: number, k: number) => (signs.rows[t]![k >> 3]! >> (k & 7)) & 1;
    const changes = (t: number) => Array.from({ length: size }, (_, k) => bit(t, k) ^ bit(t + 1, k));
    const byParameter = await exported(run, { what: 'sign_changes', entity: 'parameter' });
    const all = [...Array(7).keys()].map(changes);
    expect(byParameter.rows).toEqual([all[0]!.map((_, k) => all.reduce((sum, row) => sum + row[k]!, 0))]);
    const byLayer = await exported(run, { what: 'sign_changes', entity: 'layer' });
    expect(byLayer.rows.map((row) => row[0]! + row[1]!)).toEqual(all.map((row) => row.filter((flag) => flag).length)); // prettier-ignore
    expect(all.flat().filter((flag) => flag).length).toBeGreaterThan(0);
  });

  it('has the same total by principal directions of the trajectory, and what they leave', async () => {
    const [total, sums, basis] = await Promise.all(['total', 'basis_sums', 'basis'].map((what) => exported(run, { what }))); // prettier-ignore
    expect(sums!.heading).toEqual(['direction[0]', 'direction[1]', 'remainder']);
    sums!.rows.forEach((row, t) => {
      const scale = row.reduce((size, value) => size + Math.abs(value), 0);
      const sum = row.reduce((all, value) => all + value, 0);
      expect(Math.abs(sum - total!.rows[t]![0]!) / scale).toBeLessThan(1e-12);
    });
    const product = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, k) => sum + value * b[k]!, 0); // prettier-ignore
    const [first, second] = basis!.rows;
    expect(product(first!, first!)).toBeCloseTo(1, 10);
    expect(product(first!, second!)).toBeCloseTo(0, 10);
  });

  it('writes a component from the command line', async () => {
    const { stdout, code } = await lca(['export', run, '--what', 'allocation', '--entity', 'layer', '--component', 'momentum']); // prettier-ignore
    expect(code).toBe(0);
    expect(stdout.split('\n').slice(0, 2)).toEqual(['segment,a,b', '0,0,0']);
  });
});

/** What moved from row to row [T, K], times a factor that may depend on the parameter. */
function moved(share: (k: number) => number): Float32Array {
  return Float32Array.from(
    { length: (rows - 1) * size },
    (_, k) => share(k % size) * (theta[k + size]! - theta[k]!),
  );
}

const T = rows - 1;
const step = { data: moved(() => 0.75), shape: [T, size] };
const rest = { data: moved(() => 0.25), shape: [T, size] };
const stacked = { data: theta, shape: [rows, size] };

/** Measures the recorded run from a file of these arrays, with components. */
async function measure(arrays: Parameters<typeof npzFile>[0], out: string, ...more: string[]) {
  const trajectory = file(`${out}.npz`);
  writeFileSync(trajectory, npzFile(arrays));
  return lca([
    'measure', '--model', file('model.onnx'), '--data', file('data.npz'), '--trajectory', trajectory, '--engine', 'onnxruntime',
    '--chunk', '200', '--workers', '1', '--quiet', '--components', '--out', file(out), ...more,
  ]); // prettier-ignore
}

describe('a recorded trajectory with components', () => {
  it('is split by arrays beside theta', async () => {
    const { stderr, code } = await measure({ theta: stacked, 'update/step': step, 'update/rest': rest }, 'flat'); // prettier-ignore
    expect(stderr + String(code)).toMatch(/0$/);
    const whole = await exported(file('flat'), { what: 'allocation', entity: 'neuron' });
    const part = await exported(file('flat'), { what: 'allocation', entity: 'neuron', component: 'step' }); // prettier-ignore
    part.rows.forEach((row, t) => {
      const scale = Math.max(...whole.rows[t]!.map(Math.abs));
      row.forEach((value, k) => expect(Math.abs(value - 0.75 * whole.rows[t]![k]!) / scale).toBeLessThan(1e-6)); // prettier-ignore
    });
    const verified = await lca(['verify', file('flat'), '--quiet']);
    expect(verified.stdout).toMatch(/The run is sound/);
  });

  it('is split by arrays beside each tensor', async () => {
    const named = (numbers: Float32Array, count: number, prefix = '') => {
      let at = 0;
      return tensors.map(({ name, shape }) => {
        const length = shape.reduce((product: number, extent) => product * extent, 1);
        const data = new Float32Array(count * length);
        for (let t = 0; t < count; t++) data.set(numbers.subarray(t * size + at, t * size + at + length), t * length); // prettier-ignore
        at += length;
        return [prefix + name, { data, shape: [count, ...shape] }] as const;
      });
    };
    const arrays = Object.fromEntries([
      ...named(theta, rows),
      ...named(step.data, T, 'update/step/'),
      ...named(rest.data, T, 'update/more/rest/'),
    ]);
    const { stderr, code } = await measure(arrays, 'named');
    expect(stderr + String(code)).toMatch(/0$/);
    const of = (run: string) => exported(file(run), { what: 'allocation', entity: 'tensor', component: 'step' }); // prettier-ignore
    expect(await of('named')).toEqual(await of('flat'));
  });

  it.each([
    ['without any', { theta: stacked }, /no components of updates.*update\/NAME \[T, K\]/s],
    ['of too few rows', { theta: stacked, 'update/step': { data: step.data.slice(size), shape: [T - 1, size] } }, /component update\/step without floats for theta.*3 steps: theta \[3, /s],
    ['that do not add up', { theta: stacked, 'update/step': step }, /components step .*which miss .* that a\.weight\[0\] moved in segment 0.*rounding to float32/s],
    ['called rounding', { theta: stacked, 'update/rounding': step }, /update\/rounding.*other names/s],
  ])('is refused with components %s', async (name, arrays, message) => {
    const { stderr, code } = await measure(arrays, `refused ${name}`);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  }); // prettier-ignore

  it('is not split where only --keep-components is given', async () => {
    const { stderr } = await lca(['run', '--data', file('data.npz'), '--keep-components', 'parameters', '--out', file('none')]); // prettier-ignore
    expect(stderr).toMatch(/keepComponents parameters without components/);
  });
});

describe('a basis in a file', () => {
  const unit = (ks: readonly number[], length = 1) => {
    const data = new Float32Array(ks.length * size);
    ks.forEach((k, r) => (data[r * size + k] = length));
    return npyFile(data, [ks.length, size]);
  };
  const withBasis = (bytes: Uint8Array, out: string) => {
    writeFileSync(file(`${out}.npy`), bytes);
    return measure({ theta: stacked, 'update/step': step, 'update/rest': rest }, out, '--basis', file(`${out}.npy`)); // prettier-ignore
  };

  it('of single parameters gives their allocations, and those of all others together', async () => {
    const { stderr, code } = await withBasis(unit([7, 2410]), 'axes');
    expect(stderr + String(code)).toMatch(/0$/);
    const sums = await exported(file('axes'), { what: 'basis_sums' });
    const allocation = await exported(file('axes'), { what: 'allocation' });
    sums.rows.forEach(([a, b, left], t) => {
      const row = allocation.rows[t]!;
      const others = row.reduce((sum, value, k) => sum + (k === 7 || k === 2410 ? 0 : value), 0);
      expect(a).toBeCloseTo(row[7]!, 8);
      expect(b).toBeCloseTo(row[2410]!, 8);
      expect(left).toBeCloseTo(others, 6);
    });
  });

  it.each([
    ['too long', unit([3], 2), /row 0 of length 2.*orthonormal rows/s],
    ['one twice', unit([3, 3]), /rows 0 and 1, whose product is 1/],
    ['of other parameters', npyFile(new Float32Array(4), [2, 2]), /float32 \[2, 2\].*one array \[R, 2645\]/s],
  ])('is refused with a direction that is %s', async (name, bytes, message) => {
    const { stderr, code } = await withBasis(bytes, `basis ${name}`);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });

  it('is refused where a trajectory has fewer principal components', async () => {
    const { stderr } = await measure({ theta: stacked }, 'few', '--no-components', '--basis', 'pca:4');
    expect(stderr).toMatch(/pca:N with N from 1 to 3/);
  });
});
