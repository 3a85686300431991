import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { engineNamed } from '../../src/engines/registry.js';
import { encodeModel, type NodeSpec, type PortSpec } from '../../src/onnx/protobuf/encode.js';
import { lca, temporaryFolder } from '../support/cli.js';
import { exportedNumbers } from '../support/export.js';
import { relativeDeviation } from '../support/golden.js';
import { npzFile } from '../support/npz.js';
import { node, tensor } from '../support/onnx-model.js';
import { randomFrom } from '../support/samples.js';

const [examples, positions, inputs, classes, rows] = [7, 4, 3, 5, 4] as const;
const labelCount = examples * positions;
const size = inputs * classes;
const random = randomFrom(5);
const x = Float32Array.from({ length: labelCount * inputs }, () => 2 * random() - 1);
const labels = Int32Array.from({ length: labelCount }, () => Math.floor(random() * classes));
/** Some labels do not count, others by halves and quarters. */
const weights = Float32Array.from({ length: labelCount }, (_, k) => [1, 0, 0.25, 2, 0.5][k % 5]!);
const theta = Float32Array.from({ length: rows * size }, () => 2 * random() - 1);

const folder = temporaryFolder();
const data = join(folder, 'data.npz');
const trajectory = join(folder, 'trajectory.npz');
writeFileSync(
  data,
  npzFile({
    x: { data: x, shape: [examples, positions, inputs] },
    target: { data: labels, shape: [examples, positions] },
    share: { data: weights, shape: [examples, positions] },
  }),
);
writeFileSync(trajectory, npzFile({ u: { data: theta, shape: [rows, inputs, classes] } }));

/** Loss Σ w · −log p / Σ w and its gradient [K] at θ [K], in float64 by its definition. */
function lossAt(at: ArrayLike<number>): { loss: number; gradient: Float64Array } {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const gradient = new Float64Array(size);
  let loss = 0;
  labels.forEach((label, row) => {
    const own = x.subarray(row * inputs, (row + 1) * inputs);
    const logits = Array.from({ length: classes }, (_, c) => own.reduce((sum, value, i) => sum + value * at[i * classes + c]!, 0)); // prettier-ignore
    const normaliser = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
    const share = weights[row]! / total;
    loss += share * (Math.log(normaliser) - logits[label]!);
    own.forEach((value, i) => {
      logits.forEach((logit, c) => {
        gradient[i * classes + c]! += share * value * (Math.exp(logit) / normaliser - (c === label ? 1 : 0));
      });
    });
  });
  return { loss, gradient };
}

const losses = Array.from({ length: rows }, (_, t) => lossAt(theta.subarray(t * size, (t + 1) * size)).loss);

/** Simpson's rule once a segment [rows − 1, K]. */
const allocations = Array.from({ length: rows - 1 }, (_, t) => {
  const [from, to] = [t, t + 1].map((row) => Float64Array.from(theta.subarray(row * size, (row + 1) * size)));
  const middle = from!.map((value, k) => (value + to![k]!) / 2);
  const [a, b, c] = [from!, middle, to!].map((at) => lossAt(at).gradient);
  return Array.from(a!, (value, k) => ((to![k]! - from![k]!) * (value + 4 * b![k]! + c![k]!)) / 6);
}).flat();

/** A network of x, labels and weights; `ends` makes output `loss` of `each` [N, T], and output `weight` of `share` [N, T]. */
function writeNetwork(name: string, shape: PortSpec['shape'], ends: NodeSpec[]): string {
  const path = join(folder, `${name}.onnx`);
  const port = (own: string, dtype: PortSpec['dtype'], extents: PortSpec['shape']) => ({ name: own, dtype, shape: extents }); // prettier-ignore
  const bytes = encodeModel({
    name: 'weighed',
    opset: 17,
    inputs: [
      port('x', 'float32', ['batch', positions, inputs]),
      port('target', 'int64', ['batch', positions]),
      port('share', 'float32', ['batch', positions]),
    ],
    outputs: [port('loss', 'float32', shape), port('weight', 'float32', shape)],
    initializers: [
      tensor('u', [inputs, classes], theta.subarray(0, size)),
      tensor('axis', [1], [1], 'int64'),
    ],
    nodes: [
      node('MatMul', ['x', 'u'], ['scores']),
      node('Transpose', ['scores'], ['turned'], { perm: [0, 2, 1] }),
      node('SoftmaxCrossEntropyLoss', ['turned', 'target'], ['each'], { reduction: 'none' }),
      ...ends,
    ],
  });
  writeFileSync(path, bytes);
  return path;
}

const weighed = node('Mul', ['each', 'share'], ['product']);
const sums = (op: NodeSpec['inputs'], attributes: NodeSpec['attributes']) => [
  weighed,
  node('ReduceSum', ['product', ...op], ['loss'], attributes),
  node('ReduceSum', ['share', ...op], ['weight'], attributes),
];

const networks = [
  {
    name: 'of each label',
    shape: ['batch', positions],
    ends: [node('Mul', ['each', 'share'], ['loss']), node('Identity', ['share'], ['weight'])],
  },
  { name: 'of each example', shape: ['batch'], ends: sums(['axis'], { keepdims: 0 }) },
  { name: 'of a chunk', shape: [], ends: sums([], { keepdims: 0 }) },
] as const;

const bounds = { reference: 1e-12, onnxruntime: 1e-5, native: 1e-5 } as const;
const fixed = ['--data', data, '--trajectory', trajectory, '--loss', 'output', '--tolerance', 'none', '--subintervals', '2', '--allow-imbalance', '--quiet', '--chunk', '3']; // prettier-ignore

describe('a loss that the network computes, weighed', () => {
  const [ofLabels, ...others] = networks;
  const each = [
    ...(['reference', 'onnxruntime', 'native'] as const).map((engine) => ({ ...ofLabels, engine })),
    ...others.map((network) => ({ ...network, engine: 'reference' as const })),
  ];
  it.for(each)(
    '$name is that of its definition, by $engine',
    async ({ name, shape, ends, engine }, { skip }) => {
      const available = await (await engineNamed(engine)).available();
      if (!available.ok) skip(available.reason);
      const model = writeNetwork(name.replaceAll(' ', '-'), shape, ends as NodeSpec[]);
      const run = join(folder, `${name}-${engine}`.replaceAll(' ', '-'));
      const { code, stderr } = await lca([
        'measure',
        '--model',
        model,
        ...fixed,
        '--engine',
        engine,
        '--out',
        run,
      ]);
      expect(code, stderr).toBe(0);
      const found = await exportedNumbers(run, 'loss', '--objective', 'train');
      expect(relativeDeviation(found, Float64Array.from(losses))).toBeLessThan(bounds[engine]);
      const ledger = await exportedNumbers(run, 'allocation');
      expect(relativeDeviation(ledger, Float64Array.from(allocations))).toBeLessThan(bounds[engine]);
    },
  );

  it('is refused where what does not count was left in', async () => {
    const ends = [node('Identity', ['each'], ['loss']), node('Identity', ['share'], ['weight'])];
    const model = writeNetwork('unweighed', ['batch', positions], ends);
    const { code, stderr } = await lca(['measure', '--model', model, ...fixed, '--engine', 'reference', '--out', join(folder, 'unweighed')]); // prettier-ignore
    expect(code, stderr).toBe(2);
    expect(stderr).toContain('numbers of weight 0 add up to');
  });
});
