import { describe, expect, it } from 'vitest';
import { engineNamed } from '../../src/engines/registry.js';
import { checkConfig } from '../../src/experiment/config/file.js';
import { objectivePlan, openExperiment } from '../../src/experiment/experiment.js';
import { audit } from '../../src/ledger/columns.js';
import { measureRange } from '../../src/ledger/measure-range.js';
import { fold, key, uniform } from '../../src/num/random.js';
import { Evaluator } from '../../src/objective/evaluator.js';
import { goldenFile, type GoldenName } from '../support/golden.js';
import type { RunConfigInput } from '../../src/experiment/config/schema.js';
import { stored } from '../support/stored-row.js';

/** How far parts may miss the whole, relative to the largest numbers: rounding of float64, and where masks are used of float32. */
const smoothed: RunConfigInput = { labelSmoothing: 0.2, classWeights: [1, 2, 1, 1, 0.5, 1, 3, 1, 1, 1] };

const cases: { name: string; engine: string; model: GoldenName; bound: number; settings?: RunConfigInput }[] = [
  { name: 'sorted, reference', engine: 'reference', model: 'cnn', bound: 1e-12 },
  { name: 'sorted, onnxruntime', engine: 'onnxruntime', model: 'cnn', bound: 1e-12 },
  { name: 'sorted, native', engine: 'native', model: 'cnn', bound: 1e-12 },
  { name: 'masked, reference', engine: 'reference', model: 'resnet', bound: 1e-12 },
  { name: 'masked, onnxruntime', engine: 'onnxruntime', model: 'resnet', bound: 1e-6 },
  { name: 'masked, native', engine: 'native', model: 'resnet', bound: 1e-6 },
  { name: 'smoothed, reference', engine: 'reference', model: 'cnn', bound: 1e-12, settings: smoothed },
  { name: 'smoothed, onnxruntime', engine: 'onnxruntime', model: 'cnn', bound: 1e-12, settings: smoothed },
  { name: 'smoothed, native', engine: 'native', model: 'cnn', bound: 1e-12, settings: smoothed },
  { name: 'smoothed and masked, onnxruntime', engine: 'onnxruntime', model: 'resnet', bound: 1e-6, settings: smoothed },
  { name: 'smoothed and masked, native', engine: 'native', model: 'resnet', bound: 1e-6, settings: smoothed },
]; // prettier-ignore

const common = {
  data: 'mnist',
  subset: 40,
  validation: 1000,
  batchSize: 10,
  iterations: 1,
  measure: ['train'],
  lanes: 3,
};

const open = (settings: RunConfigInput) =>
  openExperiment(checkConfig({ ...common, ...settings }, 'the test'));

/** θ_0, θ_1 [K]: small random numbers. */
function rows(size: number): Float32Array[] {
  return [1, 2].map((seed) =>
    Float32Array.from(uniform(fold(key(seed), 'theta'), size), (u) => 0.1 * (u - 0.5)),
  );
}

async function measured(settings: RunConfigInput) {
  const experiment = await open(settings);
  const { layout, engine } = experiment;
  const theta = rows(layout.size);
  const evaluator = await Evaluator.start(objectivePlan(experiment), 2);
  try {
    const segments = [];
    const range = measureRange({
      from: 0,
      to: 1,
      theta: (row) => Promise.resolve(theta[row]!),
      evaluate: (at, directions) => evaluator.evaluate(at, directions),
      hasParts: experiment.objectives[0]!.division !== null,
      settings: { rule: 'simpson', tolerance: null, subintervals: null, maxSubintervals: 4 },
      layout,
      precision: engine.facts.precision,
    });
    for await (const segment of range) segments.push(segment.rows[0]!);
    return { experiment, segments };
  } finally {
    await evaluator.close();
  }
}

/** Σ over parts of [parts, width] numbers. */
function addedUp(parts: ArrayLike<number>, width: number): number[] {
  return Array.from({ length: width }, (_, k) => {
    let total = 0;
    for (let at = k; at < parts.length; at += width) total += parts[at]!;
    return total;
  });
}

function largest(values: ArrayLike<number>): number {
  let most = 0;
  for (let k = 0; k < values.length; k++) most = Math.max(most, Math.abs(values[k]!));
  return most;
}

describe.each(cases)('parts by class ($name)', ({ engine, model, bound, ...loss }) => {
  it('add up to the whole in loss and in allocations by parameter, layer, neuron and tensor', async (context) => {
    const available = await (await engineNamed(engine)).available();
    if (!available.ok) context.skip(available.reason);
    const { segments, experiment } = await measured({
      model: goldenFile(model, 'model.onnx'),
      chunk: 30,
      engine,
      ...loss.settings,
      parts: ['class'],
      keepParts: 'parameters',
    });
    const { layout } = experiment;
    for (const row of segments) {
      const half = row.part_loss.length / 2;
      row.loss.forEach((loss, end) => {
        const own = row.part_loss.slice(end * half, (end + 1) * half);
        expect(Math.abs(addedUp(own, 1)[0]! / loss - 1)).toBeLessThan(bound);
        expect(own.every((part) => part > 0)).toBe(true);
      });
      const pairs = [
        [row.part_layer_sums, row.layer_sums],
        [row.part_neuron_sums, row.neuron_sums],
        [row.part_tensor_sums, row.entity_sums['tensor']!],
      ] as const;
      for (const [parts, whole] of pairs) {
        const scale = largest(parts);
        addedUp(parts, whole.length).forEach((sum, k) => {
          expect(Math.abs(sum - whole[k]!) / scale).toBeLessThan(bound * 10);
        });
      }
      // Single allocations are stored in the engine's precision.
      const storedBound = experiment.engine.facts.precision === 'float64' ? bound : 1e-6;
      const scale = largest(row.part_allocation);
      const sums = addedUp(row.part_allocation, layout.size);
      expect(largest(sums.map((sum, k) => sum - row.allocation[k]!)) / scale).toBeLessThan(storedBound);
      const by = experiment.objectives[0]!.division!.parts.map((part) => part.by);
      expect(audit(stored(row), layout, { by, tolerance: bound })).toEqual([]);
    }
  });
});

describe('the whole', () => {
  it.for(['onnxruntime', 'native'])(
    'is the same to the bit with parts, where chunks have statistics (%s)',
    async (engine, context) => {
      const available = await (await engineNamed(engine)).available();
      if (!available.ok) context.skip(available.reason);
      const settings = { model: goldenFile('resnet', 'model.onnx'), chunk: 30, engine } as RunConfigInput;
      const plain = await measured(settings);
      const divided = await measured({ ...settings, parts: ['class'] });
      divided.segments.forEach((row, t) => {
        const own = plain.segments[t]!;
        for (const column of [
          'allocation',
          'loss',
          'layer_sums',
          'neuron_sums',
          'residual',
          'left_residual',
        ] as const) {
          expect(row[column]).toEqual(own[column]);
        }
      });
    },
  );

  it('has the order of its examples, and the parts, in the definition', async () => {
    const sorted = await open({ model: 'fc', engine: 'reference', parts: ['class'] });
    expect(sorted.objectives[0]!.division!.kind).toBe('sorted');
    const masked = await open({
      model: goldenFile('resnet', 'model.onnx'),
      engine: 'reference',
      parts: ['class'],
    });
    expect(masked.objectives[0]!.division!.kind).toBe('masked');
  });
});

describe('a part', () => {
  it('is what its examples alone have, by the reference engine', async () => {
    const { experiment, segments } = await measured({ model: goldenFile('cnn', 'model.onnx'), chunk: 96, engine: 'reference', parts: ['class'] });
    const { dataset, layout } = experiment;
    const { train } = dataset.splits;
    const label = 3;
    const places = [...train.labels.keys()].filter((example) => train.labels[example] === label);
    const engine = await engineNamed('reference');
    const program = await engine.compile(objectivePlan(experiment).gradientGraph(places.length, false));
    const [theta] = rows(layout.size);
    program.load(Float64Array.from(theta!));
    const x = new Uint8Array(places.length * 784);
    places.forEach((example, k) => { x.set(train.inputs.subarray(example * 784, (example + 1) * 784), k * 784); });
    const loss = await program.run({ x, labels: Int32Array.from(places, () => label) });
    expect(segments[0]!.part_loss[label]! * train.count).toBeCloseTo(loss, 12);
  });
}); // prettier-ignore
