import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../graph/builder.js';
import { differentiate } from '../../../autodiff/index.js';
import { referenceEngine } from '../../../engines/reference/index.js';
import { attachLoss } from '../../../graph/loss.js';
import type { InitializerSpec, NodeSpec } from '../../protobuf/encode.js';
import { inspectOnnx, readOnnx } from '../../index.js';
import { modelOf, node, tensor } from '../../../../test/support/onnx-model.js';
import { randomFrom } from '../../../../test/support/samples.js';

const random = randomFrom(11);
const draw = (length: number): number[] => Array.from({ length }, () => Math.fround(2 * random() - 1));
const transposed = (data: readonly number[], rows: number, columns: number): number[] =>
  data.map((_, k) => data[(k % rows) * columns + Math.floor(k / rows)]!);

/** Networks of inputs [N, 4] with a weight [6, 4] that they read under its name, and again under one that folding made up. */
const weight = draw(24);
const named = tensor('emb.weight', [6, 4], weight);
const read = node('Gemm', ['input', 'emb.weight'], ['h'], { transB: 1 });

/** The initialisers that some networks read besides. */
const shapes = [tensor('rows', [2], [2, 4], 'int64'), tensor('axis', [1], [1], 'int64')];

function network(copy: InitializerSpec, nodes: NodeSpec[], own: InitializerSpec = named): Uint8Array {
  return modelOf(['batch', 4], { initializers: [own, copy, ...shapes], nodes: [read, ...nodes] });
}

/** A weight some of whose numbers are equal, as those of large ones are by chance. */
const repeating = weight.map((value, k) => (k % 5 === 3 ? weight[3]! : value));
const again = tensor('emb.weight', [6, 4], repeating);

const tied = {
  'a head tied by a transposition': network(tensor('onnx::MatMul_9', [4, 6], transposed(weight, 6, 4)), [
    node('MatMul', ['input', 'onnx::MatMul_9'], ['z']),
    node('Mul', ['h', 'z'], ['y']),
  ]),
  'a slice of a stacked kernel': network(
    tensor(
      'onnx::MatMul_9',
      [2, 2, 2],
      [2, 3].flatMap((row) => weight.slice(4 * row, 4 * row + 4)),
    ),
    [
      node('Reshape', ['onnx::MatMul_9', 'rows'], ['own']),
      node('Gemm', ['input', 'own'], ['z'], { transB: 1 }),
      node('ReduceSum', ['z', 'axis'], ['s'], { keepdims: 1 }),
      node('Mul', ['h', 's'], ['y']),
    ],
  ),
  'a column, as derivatives by an input read it': network(
    tensor(
      'onnx::Mul_9',
      [6],
      [0, 1, 2, 3, 4, 5].map((row) => weight[4 * row + 1]!),
    ),
    [node('Mul', ['h', 'onnx::Mul_9'], ['y'])],
  ),
  'a transposition of numbers that repeat': network(
    tensor('onnx::MatMul_9', [4, 6], transposed(repeating, 6, 4)),
    [node('MatMul', ['input', 'onnx::MatMul_9'], ['z']), node('Mul', ['h', 'z'], ['y'])],
    again,
  ),
};

const x = Float32Array.from(draw(12));

/** The sum of squares of outputs, less a label, of the network by the reference engine: loss and gradient at the file's weights, moved. */
async function evaluated(bytes: Uint8Array, moved: (k: number) => number): Promise<[number, Float64Array]> {
  const builder = new GraphBuilder('graph');
  const output = readOnnx(bytes).addTo(builder, builder.input('x', 'float32', [3, 4]));
  const graph = differentiate(attachLoss(builder.build([output]), { loss: 'squaredError' }));
  expect(graph.parameters.map(({ value }) => value.name)).toEqual(['emb.weight']);
  const { initializer } = graph.parameters[0]!;
  const start = initializer.kind === 'values' ? initializer.data : [];
  const program = await referenceEngine.compile(graph);
  program.load(Float64Array.from(start, (value, k) => value + moved(k)));
  const gradient = new Float64Array(24);
  return [await program.run({ x, labels: new Float32Array(18).fill(0.3) }, gradient), gradient];
}

describe.each(Object.entries(tied))('%s', (_, bytes) => {
  it('moves with the weight that it was copied from', async () => {
    const [, gradient] = await evaluated(bytes, () => 0);
    for (let k = 0; k < 24; k += 5) {
      const [up] = await evaluated(bytes, (at) => (at === k ? 1e-5 : 0));
      const [down] = await evaluated(bytes, (at) => (at === k ? -1e-5 : 0));
      expect(Math.abs((up - down) / 2e-5 - gradient[k]!)).toBeLessThan(1e-6);
    }
  });
});

describe('a copy times a number', () => {
  const scaled = (factor: number) =>
    network(tensor('onnx::MatMul_9', [4, 6], transposed(weight, 6, 4).map((value) => factor * value)), [
      node('MatMul', ['input', 'onnx::MatMul_9'], ['z']),
      node('Mul', ['h', 'z'], ['y']),
    ]); // prettier-ignore

  it.each([2, -0.125, 0.3])('is refused: %d', (factor) => {
    const said = new RegExp(`onnx::MatMul_9 that is ${factor} times emb.weight`);
    expect(() => readOnnx(scaled(factor))).toThrow(said);
    expect(() => readOnnx(scaled(factor), { evidence: { size: 24 } })).toThrow(said);
    expect(inspectOnnx(scaled(factor)).problem).toMatch(said);
  });

  it('is none where one number differs', () => {
    const other = transposed(weight, 6, 4).map((value, k) => 2 * value + (k === 7 ? 0.01 : 0));
    const bytes = network(tensor('onnx::MatMul_9', [4, 6], other), [
      node('MatMul', ['input', 'onnx::MatMul_9'], ['z']),
      node('Mul', ['h', 'z'], ['y']),
    ]);
    expect(inspectOnnx(bytes).problem).toBeNull();
    expect(readOnnx(bytes).warnings.join()).toMatch(/lost their names/);
  });
});
