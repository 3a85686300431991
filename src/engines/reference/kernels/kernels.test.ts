import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError } from '../../../errors.js';
import { GraphBuilder } from '../../../graph/builder.js';
import { operators } from '../../../graph/operators/index.js';
import type { Attributes, DType, Shape } from '../../../graph/types.js';
import { sizeOf } from '../../../graph/types.js';
import { evaluate } from '../evaluate.js';
import type { Tensor } from '../tensor.js';
import { tensorOf } from '../tensor.js';
import { erf } from '../../../num/special.js';
import { kernels } from './index.js';

type Given = readonly [shape: Shape, data: readonly number[], dtype?: DType];

/** Runs one node on given tensors. */
function run(op: string, inputs: readonly (Given | null)[], attributes: Attributes = {}): Tensor[] {
  const builder = new GraphBuilder('kernel');
  const bound = new Map<number, Tensor>();
  const values = inputs.map((given, k) => {
    if (given === null) return null;
    const value = builder.input(`i${k}`, given[2] ?? 'float32', given[0]);
    bound.set(value.id, tensorOf(given[0], given[1]));
    return value;
  });
  const outputs = builder.add(op, values, attributes);
  return evaluate(builder.build(outputs), bound);
}

function result(op: string, inputs: readonly (Given | null)[], attributes: Attributes = {}): number[] {
  return [...run(op, inputs, attributes)[0]!.data];
}

function range(count: number, start = 0): number[] {
  return Array.from({ length: count }, (_, k) => start + k);
}

function wave(shape: Shape, phase = 0): Given {
  return [shape, range(sizeOf(shape)).map((k) => Math.sin(1.7 * k + phase))];
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((total, value, k) => total + value * b[k]!, 0);
}

type Row = readonly [
  op: string,
  inputs: readonly (Given | null)[],
  attributes: Attributes,
  expected: number[],
];

/** Worked out by hand from ONNX's definitions. */
const byHand: readonly Row[] = [
  ['Div', [[[4], [7, -7, 9, -9], 'int32'], [[1], [2], 'int32']], {}, [3, -3, 4, -4]],
  ['Cast', [[[3], [-1.7, 0, 2.9]]], { to: 'int32' }, [-1, 0, 2]],
  ['Cast', [[[3], [-1.7, 0, 2.9]]], { to: 'bool' }, [1, 0, 1]],
  ['Where', [[[2, 1], [1, 0], 'bool'], [[2], [1, 2]], [[], [9]]], {}, [1, 2, 9, 9]],
  ['HardSigmoid', [[[3], [-3, 1, 3]]], {}, [0, 0.7, 1]],
  ['HardSwish', [[[3], [-4, 3, 4]]], {}, [-0, 3, 4]],
  ['Clip', [[[3], [-4, 1, 4]]], { max: 2 }, [-4, 1, 2]],
  ['Clip', [[[3], [-4, 1, 4]]], { min: 3, max: 2 }, [2, 2, 2]],
  ['ClipGrad', [[[4], [7, Infinity, NaN, 5]], [[4], [1, -4, 4, 2]]], { min: -1, max: 2 }, [7, 0, 0, 5]],
  ['ClipGrad', [[[3], [7, 8, 9]], [[3], [1, 2, 3]]], { min: 3, max: 2 }, [0, 0, 0]],
  ['ReluGrad', [[[3], [Infinity, NaN, 5]], [[3], [0, 0, 1]]], {}, [0, 0, 5]],
  ['Einsum', [[[2, 3], range(6)]], { equation: 'ij->j' }, [3, 5, 7]],
  ['Einsum', [[[2], [1, 2]], [[2], [3, 4]]], { equation: 'i,j' }, [3, 4, 6, 8]],
  ['ReduceMax', [[[2, 3], [1, 5, 2, 0, -1, -2]]], { axes: [1], keepdims: 0 }, [5, 0]],
  ['Transpose', [[[2, 3], range(6)]], {}, [0, 3, 1, 4, 2, 5]],
  ['Tile', [[[2], [1, 2]]], { repeats: [2] }, [1, 2, 1, 2]],
  ['Tile', [[[1, 2], [1, 2]]], { repeats: [2, 2] }, [1, 2, 1, 2, 1, 2, 1, 2]],
  ['Concat', [[[2, 1], [1, 2]], [[2, 2], [3, 4, 5, 6]]], { axis: 1 }, [1, 3, 4, 2, 5, 6]],
  ['Slice', [[[5], range(5)]], { starts: [-1], ends: [-6], steps: [-2] }, [4, 2, 0]],
  ['Slice', [[[2, 4], range(8)]], { starts: [1], ends: [99], axes: [1], steps: [2] }, [1, 3, 5, 7]],
  ['Pad', [[[2, 2], [1, 2, 3, 4]]], { pads: [0, 1, -1, 0], value: 9 }, [9, 1, 2]],
  ['Gather', [[[3, 2], range(6)], [[2], [2, -3], 'int64']], {}, [4, 5, 0, 1]],
  ['GatherGrad', [[[3], [1, 10, 100]], [[3], [1, 0, 1], 'int64']], { input_shape: [3] }, [10, 101, 0]],
  ['MaxPoolGrad', [[[1, 1, 2], [5, 7]], [[1, 1, 3], [2, 2, 2]], [[1, 1, 2], [2, 2]]], { kernel_shape: [2] }, [5, 7, 0]],
  ['AveragePool', [[[1, 1, 4], [1, 2, 3, 4]]], { kernel_shape: [3], pads: [1, 1], strides: [2] }, [1.5, 3]],
  ['AveragePool', [[[1, 1, 4], [1, 2, 3, 4]]], { kernel_shape: [3], pads: [1, 1], strides: [2], count_include_pad: 1 }, [1, 3]],
  ['AveragePool', [[[1, 1, 4], [1, 2, 3, 4]]], { kernel_shape: [3], strides: [2], ceil_mode: 1, count_include_pad: 1 }, [2, 3.5]],
  ['Conv', [[[1, 2, 3], range(6)], [[2, 1, 2], [1, -1, 2, 1]], [[2], [10, 20]]], { group: 2 }, [9, 9, 30, 33]],
  ['ConvTranspose', [[[1, 1, 2], [1, 2]], [[1, 1, 3], [1, 10, 100]]], { strides: [2] }, [1, 10, 102, 20, 200]],
  ['BatchNormalization', [[[1, 2, 1], [3, 5]], [[2], [2, 1]], [[2], [0, 1]], [[2], [1, 1]], [[2], [4, 16]]], { epsilon: 0 }, [2, 2]],
  ['InstanceNormalization', [[[1, 1, 2], [1, 3]], [[1], [2]], [[1], [5]]], { epsilon: 0 }, [3, 7]],
  ['LayerNormalization', [[[2, 2], [1, 3, 10, 20]], [[2], [1, 2]], null], { epsilon: 0 }, [-1, 2, -1, 2]],
  ['GroupNormalization', [[[1, 4], [1, 3, 10, 20]], [[4], [1, 1, 2, 3]], [[4], [0, 0, 0, 1]]], { num_groups: 2, epsilon: 0 }, [-1, 1, -2, 4]],
]; // prettier-ignore

describe('kernels', () => {
  it('exist for every operator', () => {
    expect([...kernels.keys()].sort()).toEqual([...operators.keys()].sort());
  });

  it.each(byHand)('%s of %j with %j', (op, inputs, attributes, expected) => {
    result(op, inputs, attributes).forEach((value, k) => expect(value).toBeCloseTo(expected[k]!, 14));
    expect(result(op, inputs, attributes).length).toBe(expected.length);
  });

  it('let a NaN through', () => {
    for (const op of ['Relu', 'LeakyRelu', 'Elu', 'Clip', 'Gelu', 'HardSwish', 'ReduceMax', 'Softmax']) {
      expect(result(op, [[[1], [NaN]]])).toEqual([NaN]);
    }
    expect(
      result(
        'MaxPool',
        [
          [
            [1, 1, 2],
            [NaN, 1],
          ],
        ],
        { kernel_shape: [2] },
      ),
    ).toEqual([NaN]);
  });

  it('name the node of a label that is out of range', () => {
    const logits: Given = [[1, 2], [0, 0]]; // prettier-ignore
    expect(() => run('SoftmaxCrossEntropyLoss', [logits, [[1], [2], 'int32']])).toThrow(DataError);
    expect(() => run('SoftmaxCrossEntropyLoss', [logits, [[1], [-1], 'int32']])).toThrow(/index -1 in/);
    expect(() => run('Gather', [[[2], [0, 0]], [[1], [-3], 'int32']])).toThrow(DataError); // prettier-ignore
  });
});

describe('laws', () => {
  it('erf: known values, odd, and its own derivative', () => {
    // Abramowitz and Stegun, table 7.1.
    expect(erf(0.5)).toBeCloseTo(0.5204998778, 10);
    expect(erf(1)).toBeCloseTo(0.8427007929, 10);
    expect(erf(2)).toBeCloseTo(0.9953222650, 10); // prettier-ignore
    fc.assert(
      fc.property(fc.double({ min: -7, max: 7, noNaN: true }), (x) => {
        const h = 2 ** -14;
        const slope = (erf(x + h) - erf(x - h)) / (2 * h);
        expect(erf(-x)).toBe(-erf(x));
        expect(slope).toBeCloseTo((2 / Math.sqrt(Math.PI)) * Math.exp(-x * x), 7);
      }),
    );
  });

  it('batched MatMul is a matrix product for each pair of the batch', () => {
    const [a, b] = [wave([2, 1, 3, 4]), wave([5, 4, 2], 1)];
    const y = run('MatMul', [a, b])[0]!;
    expect(y.shape).toEqual([2, 5, 3, 2]);
    for (const [i, j] of [
      [0, 0],
      [0, 4],
      [1, 3],
    ] as const) {
      // prettier-ignore
      const rows: Given = [[3, 4], a[1].slice(12 * i, 12 * (i + 1))];
      const columns: Given = [[4, 2], b[1].slice(8 * j, 8 * (j + 1))];
      const start = (i * 5 + j) * 6;
      expect([...y.data.slice(start, start + 6)]).toEqual(result('Gemm', [rows, columns]));
    }
  });

  it('a 1x1 convolution is a matrix product of channels', () => {
    const [x, w] = [wave([2, 3, 4, 5]), wave([6, 3, 1, 1], 2)];
    const product = result('Einsum', [x, [[6, 3], w[1]]], { equation: 'nchw,mc->nmhw' });
    result('Conv', [x, w]).forEach((value, k) => expect(value).toBeCloseTo(product[k]!, 13));
  });

  it('ConvTranspose is the adjoint of Conv', () => {
    const attributes = { strides: [2, 1], pads: [1, 0, 0, 2], dilations: [1, 2], group: 2 };
    const [x, w] = [wave([2, 4, 6, 7]), wave([6, 2, 2, 3], 1)];
    const y = run('Conv', [x, w], attributes)[0]!;
    const u = wave(y.shape, 2);
    const back = run('ConvTranspose', [u, w], { ...attributes, output_padding: [1, 0] })[0]!;
    expect(back.shape).toEqual(x[0]);
    expect(dot([...y.data], u[1])).toBeCloseTo(dot(x[1], [...back.data]), 11);
  });

  it('Conv over three spatial axes of extent 1 but one is a Conv over that one', () => {
    const [x, w] = [wave([2, 3, 9]), wave([4, 3, 3], 1)];
    const deep = result('Conv', [[[2, 3, 1, 9, 1], x[1]], [[4, 3, 1, 3, 1], w[1]]], { pads: [0, 1, 0, 0, 1, 0], strides: [1, 2, 1] }); // prettier-ignore
    expect(deep).toEqual(result('Conv', [x, w], { pads: [1, 1], strides: [2] }));
  });

  it('softmax sums to one, also for huge logits', () => {
    const huge: Given = [[2, 3], [1000, 1001, 999, -1000, -1000, -1000]]; // prettier-ignore
    const y = result('Softmax', [huge]);
    expect(y[0]! + y[1]! + y[2]!).toBeCloseTo(1, 15);
    y.slice(3).forEach((share) => expect(share).toBeCloseTo(1 / 3, 15));
  });

  it('cross-entropy with weights and smoothing is the smoothed target against LogSoftmax', () => {
    const logits = wave([4, 3]);
    const labels = [2, 0, 1, 2];
    const weights = [0.5, 2, 3];
    const logProbabilities = result('LogSoftmax', [logits]);
    const smoothing = 0.2;
    const sum = labels.reduce((total, label, n) => {
      const row = logProbabilities.slice(3 * n, 3 * n + 3);
      const smooth = dot(row, weights) * (smoothing / 3);
      return total - (1 - smoothing) * weights[label]! * row[label]! - smooth;
    }, 0);
    const inputs = [logits, [[4], labels, 'int32'], [[3], weights]] as const;
    const attributes = { label_smoothing: smoothing };
    expect(result('SoftmaxCrossEntropyLoss', inputs, { ...attributes, reduction: 'sum' })[0]).toBeCloseTo(
      sum,
      13,
    );
    const divisor = labels.reduce((total, label) => total + weights[label]!, 0);
    expect(result('SoftmaxCrossEntropyLoss', inputs, attributes)[0]).toBeCloseTo(sum / divisor, 13);
  });

  it('normalised tensors have mean 0 and variance 1', () => {
    const x = wave([3, 4, 5]);
    const ones: Given = [[4], [1, 1, 1, 1]]; // prettier-ignore
    const none: Given = [[4], [0, 0, 0, 0]]; // prettier-ignore
    const [y, mean, invStd] = run('BatchNormTraining', [x, ones, none], { epsilon: 0 });
    for (let c = 0; c < 4; c++) {
      const channel = [0, 1, 2].flatMap((n) => range(5, (n * 4 + c) * 5));
      const given = channel.map((k) => x[1][k]!);
      expect(
        dot(
          given,
          given.map(() => 1 / 15),
        ),
      ).toBeCloseTo(mean!.data[c]!, 14);
      expect(
        dot(
          channel.map((k) => y!.data[k]!),
          channel.map(() => 1),
        ),
      ).toBeCloseTo(0, 13);
      expect(
        dot(
          channel.map((k) => y!.data[k]! ** 2),
          channel.map(() => 1 / 15),
        ),
      ).toBeCloseTo(1, 13);
      expect(invStd!.data[c]).toBeGreaterThan(0);
    }
  });
});
