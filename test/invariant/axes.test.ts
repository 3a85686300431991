import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { engineNamed } from '../../src/engines/registry.js';
import type { RunConfigInput } from '../../src/experiment/config/schema.js';
import type { RunReader } from '../../src/format/reader.js';
import { GraphBuilder } from '../../src/graph/builder.js';
import { type Graph, parameterCount } from '../../src/graph/types.js';
import { writeOnnx } from '../../src/onnx/index.js';
import type { Quantity } from '../../src/run/export/selection.js';
import { verifyFolder } from '../../src/run/verify.js';
import { temporaryFolder } from '../support/cli.js';
import { npzFile } from '../support/npz.js';
import { randomFrom } from '../support/samples.js';
import { exportedRows, wholeRun } from '../support/whole-run.js';

/*
 * Random dense networks, data, groups, optimisers and rules: along every axis the parts of an allocation add up to the whole. Bounds are relative to
 * the sizes of what is added: rounding of float64, on engines in single precision that of their gradients' sums and of stored allocations.
 */
const engines = [
  { engine: 'reference', bound: 1e-12, seeds: [1, 2, 3, 4, 5, 6] },
  { engine: 'onnxruntime', bound: 1e-6, seeds: [7, 8, 9] },
  { engine: 'native', bound: 1e-6, seeds: [10, 11] },
] as const;

type Random = () => number;
const pick = <T>(random: Random, choices: readonly T[]): T => choices[Math.floor(random() * choices.length)]!;
const between = (random: Random, from: number, to: number): number =>
  from + Math.floor(random() * (to - from + 1));

/** One to three dense layers of two to nine neurons, each with an activation of its own but the last. */
function network(random: Random, inputs: number, classes: number): Graph {
  const builder = new GraphBuilder('random');
  const parameter = (name: string, shape: number[]) =>
    builder.parameter(name, shape, { layer: name.split('.')[0]!, neuronAxis: 0, initializer: { kind: 'zeros' } }); // prettier-ignore
  const layers = between(random, 1, 3);
  let [h, width] = [builder.input('x', 'float32', [1, inputs]), inputs];
  for (let layer = 0; layer < layers; layer++) {
    const isLast = layer === layers - 1;
    const neurons = isLast ? classes : between(random, 2, 9);
    h = builder.apply('Gemm', [h, parameter(`fc${layer}.weight`, [neurons, width]), parameter(`fc${layer}.bias`, [neurons])], { transB: 1 }); // prettier-ignore
    if (!isLast) h = builder.apply(pick(random, ['Relu', 'Tanh', 'Sigmoid', 'Gelu']), [h]);
    width = neurons;
  }
  return builder.build([h]);
}

const optimisers: readonly RunConfigInput[] = [
  { optimizer: 'sgd', learningRate: 0.5 },
  { optimizer: 'sgd', momentum: 0.9, weightDecay: 0.01, clipNorm: 0.1 },
  { optimizer: 'nesterov', momentum: 0.8, learningRate: 0.1 },
  { optimizer: 'adam', learningRate: 0.02, weightDecay: 0.1 },
  { optimizer: 'rmsprop', learningRate: 0.01 },
];

/** Writes network, data and groups of a random run into a folder; its settings. */
function randomRun(folder: string, seed: number): RunConfigInput {
  const random = randomFrom(seed);
  const [count, inputs, classes] = [between(random, 80, 120), between(random, 2, 7), between(random, 2, 4)];
  const file = (name: string) => join(folder, name);
  const graph = network(random, inputs, classes);
  const theta = Float32Array.from({ length: parameterCount(graph.parameters) }, () => 2 * random() - 1);
  writeFileSync(file('model.onnx'), writeOnnx(graph, theta));
  const floats = (length: number) => Float32Array.from({ length }, () => 4 * random() - 2);
  const labels = (length: number) => Int32Array.from({ length }, (_, k) => (k < classes ? k : Math.floor(random() * classes))); // prettier-ignore
  writeFileSync(
    file('data.npz'),
    npzFile({
      x: { data: floats(count * inputs), shape: [count, inputs] },
      y: { data: labels(count), shape: [count] },
      x_mine: { data: floats(30 * inputs), shape: [30, inputs] },
      y_mine: { data: labels(30), shape: [30] },
    }),
  );
  const groups = Array.from({ length: count }, () => pick(random, ['red', 'green', 'blue']));
  writeFileSync(file('colours.csv'), ['colour', ...groups].join('\n'));
  return {
    model: file('model.onnx'), data: file('data.npz'), divisor: 1, measure: ['train', 'mine'], iterations: 3, batchSize: 10, chunk: between(random, 16, 64),
    lanes: between(random, 1, 3), seed, rule: pick(random, ['trapezoid', 'simpson', 'boole', 'adaptive', 'gauss3', 'kronrod7']), maxSubintervals: 8,
    parts: ['class', `train:${file('colours.csv')}`], keepParts: 'parameters', components: true, keepComponents: 'parameters', basis: 'pca:2', certify: 0.9,
    groupings: { ends: ['fc0.*', '*.bias'] }, ...pick(random, optimisers),
  }; // prettier-ignore
}

describe.each(engines.flatMap(({ seeds, ...each }) => seeds.map((seed) => ({ ...each, seed }))))('the axes of a random run ($engine, $seed)', ({ engine, bound, seed }) => {
  const folder = temporaryFolder();
  let run: RunReader | null = null;
  beforeAll(async () => {
    if (!(await (await engineNamed(engine)).available()).ok) return;
    run = await wholeRun(join(folder, 'run'), { ...randomRun(folder, seed), engine });
  }, 120_000);

  /** Asks that terms add up to the whole, row by row, relative to the size of all terms. */
  const requireSum = async (what: string, whole: Quantity, terms: readonly Quantity[], sign = 1) => {
    const rows = await exportedRows(run!, whole);
    const parts = await Promise.all(terms.map((term) => exportedRows(run!, term)));
    for (const [t, row] of rows.entries()) {
      const size = Math.max(1e-12, ...parts.map((part) => part[t]!.reduce((most, value) => Math.max(most, Math.abs(value)), 0))); // prettier-ignore
      row.forEach((value, k) => {
        const sum = parts.reduce((total, part, index) => total + (index === 0 ? 1 : sign) * part[t]![k]!, 0);
        expect(Math.abs(sum - value) / size, `${what}, row ${t}`).toBeLessThan(bound);
      });
    }
  };

  it('add up: classes, groups and components by every entity, directions, held-out; and its laws hold', async (context) => {
    if (run === null) return context.skip(`${engine} is not here`);
    const { objectives, components } = run.manifest;
    const entities = ['parameter', ...run.layout.groupings.map(({ name }) => name)];
    for (const { name: objective, parts } of objectives) {
      const kinds = [...new Set(parts.flatMap(({ by }) => by ?? []))];
      expect(kinds).toEqual(objective === 'train' ? ['class', 'colours'] : ['class']);
      for (const kind of kinds) {
        const own = parts.filter(({ by }) => by === kind).map(({ name: part }) => part);
        const of = (asked: Quantity) => own.map((part) => ({ ...asked, part }));
        await requireSum('loss', { what: 'loss', objective }, of({ what: 'loss', objective }));
        for (const entity of entities) {
          const asked = { what: 'allocation', objective, entity };
          await requireSum(`${kind} by ${entity}`, asked, of(asked));
        }
      }
      for (const entity of entities) {
        const asked = { what: 'allocation', objective, entity };
        await requireSum(`components by ${entity}`, asked, components.map((component) => ({ ...asked, component }))); // prettier-ignore
      }
      const total = await exportedRows(run, { what: 'total', objective });
      for (const [t, row] of (await exportedRows(run, { what: 'basis_sums', objective })).entries()) {
        const size = row.reduce((sum, value) => sum + Math.abs(value), 0);
        expect(Math.abs(row.reduce((sum, value) => sum + value, 0) - total[t]![0]!) / size).toBeLessThan(1e-12); // prettier-ignore
      }
    }
    for (const entity of entities) {
      const of = (objective: string) => ({ what: 'allocation', objective, entity });
      await requireSum('overfitting', { what: 'overfitting', entity }, [of('train'), of('mine')], -1);
    }
    expect((await verifyFolder(run.place)).findings).toEqual([]);
  });
}); // prettier-ignore
