import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { engineNamed } from '../../src/engines/registry.js';
import { checkConfig } from '../../src/experiment/config/file.js';
import type { RunConfigInput } from '../../src/experiment/config/schema.js';
import { type Experiment, openExperiment } from '../../src/experiment/experiment.js';
import { gradientGraph } from '../../src/experiment/graphs.js';
import { audit, type LedgerRow } from '../../src/ledger/columns.js';
import type { StoredRow } from '../../src/ledger/laws/law.js';
import { measureRange } from '../../src/ledger/measure-range.js';
import { trajectory } from '../../src/run/steps.js';
import { Updates } from '../../src/run/updates.js';
import { writeRecordedRun } from '../support/recorded.js';
import { stored } from '../support/stored-row.js';

const folder = mkdtempSync(join(tmpdir(), 'lossledger-'));
writeRecordedRun(folder, 2);
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const common: RunConfigInput = {
  model: join(folder, 'model.onnx'),
  data: join(folder, 'data.npz'),
  divisor: 1,
  batchSize: 20,
  iterations: 12,
  measure: ['train'],
  components: true,
  keepComponents: 'parameters',
};

/** Trains a small network and measures its last segments, on this thread. */
async function measured(settings: RunConfigInput): Promise<{ experiment: Experiment; rows: LedgerRow[] }> {
  const experiment = await openExperiment(checkConfig({ ...common, ...settings }, 'the test'));
  const { engine, layout, dataset } = experiment;
  const theta: Float32Array[] = [];
  for await (const row of trajectory(experiment)) theta.push(row.theta.slice());
  const { count, inputs, labels } = dataset.splits.train;
  const program = await engine.compile(gradientGraph(experiment, count, false));
  const updates = (await Updates.open(experiment))!;
  const range = measureRange({
    from: theta.length - 3,
    to: theta.length - 1,
    theta: (row) => Promise.resolve(theta[row]!),
    evaluate: async (at) => {
      const gradient = new Float64Array(layout.size);
      program.load(at);
      const loss = await program.run({ x: inputs, labels }, gradient);
      return [{ loss: loss / count, gradient: gradient.map((value) => value / count) }];
    },
    split: (segment, motion) => updates.split(segment, motion),
    settings: { rule: 'simpson', tolerance: null, subintervals: null, maxSubintervals: 4 },
    layout,
    precision: engine.facts.precision,
  });
  const rows: LedgerRow[] = [];
  for await (const segment of range) rows.push(...segment.rows);
  await updates.close();
  await program.dispose();
  return { experiment, rows };
}

/** How far sums over components [components, width] miss the whole [width], relative to the largest number. */
function miss(parts: ArrayLike<number>, whole: ArrayLike<number>): number {
  let [most, size] = [0, 0];
  for (let k = 0; k < whole.length; k++) {
    let sum = 0;
    for (let at = k; at < parts.length; at += whole.length) {
      sum += parts[at]!;
      size = Math.max(size, Math.abs(parts[at]!));
    }
    most = Math.max(most, Math.abs(sum - whole[k]!));
  }
  return most / size;
}

const optimisers: Readonly<Record<string, RunConfigInput>> = {
  sgd: { optimizer: 'sgd', learningRate: 0.5 },
  'sgd, momentum, clipping': { optimizer: 'sgd', momentum: 0.9, weightDecay: 0.01, clipNorm: 0.1 },
  nesterov: { optimizer: 'nesterov', momentum: 0.8 },
  adam: { optimizer: 'adam', learningRate: 0.01, weightDecay: 0.1 },
  groups: {
    momentum: 0.9,
    groups: [
      { match: 'a.*', learningRate: 0.2, momentum: 0.5 },
      { match: '*.bias', frozen: true },
    ],
  },
};

const cases = [
  ...Object.keys(optimisers).map((name) => ({ engine: 'reference', optimiser: name, bound: 1e-12 })),
  { engine: 'onnxruntime', optimiser: 'sgd, momentum, clipping', bound: 1e-12 },
  { engine: 'native', optimiser: 'sgd, momentum, clipping', bound: 1e-12 },
] as const;

describe('components of the update', () => {
  it.for(cases)('add up to the whole by every entity ($engine, $optimiser)', async ({ engine, optimiser, bound }, context) => {
    const available = await (await engineNamed(engine)).available();
    if (!available.ok) context.skip(available.reason);
    const { experiment, rows } = await measured({ ...optimisers[optimiser], engine: engine });
    expect(rows).toHaveLength(2);
    for (const row of rows) {
      for (const { name } of experiment.layout.groupings) {
        const whole = { layer: row.layer_sums, neuron: row.neuron_sums }[name] ?? row.entity_sums[name]!;
        expect(miss(row.component_sums[name]!, whole), name).toBeLessThan(bound);
      }
      // Single allocations are stored in the engine's precision.
      expect(miss(row.component_allocation, row.allocation)).toBeLessThan(Math.max(bound, engine === 'reference' ? 0 : 1e-6));
      expect(audit(stored(row), experiment.layout)).toEqual([]);
    }
  }); // prettier-ignore

  it('break their law where one of them is changed', async () => {
    const { experiment, rows } = await measured({ ...optimisers['sgd, momentum, clipping'], engine: 'reference' }); // prettier-ignore
    const good = stored(rows[0]!);
    const changed = (column: string, at: number): StoredRow => {
      const numbers = good(column)!.slice();
      numbers[at]! += 1e-6;
      return (name) => (name === column ? numbers : good(name));
    };
    const whats = (row: StoredRow) => audit(row, experiment.layout).map(({ what }) => what);
    expect(whats(changed('component_sums/kind', 1)).join()).toMatch(
      /sums by kind and the sum of its components/,
    );
    expect(whats(changed('component_allocation', 7)).join()).toMatch(
      /allocation and the sum of its components/,
    );
  });
});
