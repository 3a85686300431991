import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../builder.js';
import type { Attributes, Shape, Value } from '../types.js';
import { mixingOf } from './index.js';

const examples = 13;

type Apply = (op: string, inputs: (Value | null)[], attributes?: Attributes) => Value;

/** What is found in the network that `write` writes, of examples of that shape. */
function found(shape: Shape, write: (x: Value, apply: Apply, builder: GraphBuilder) => Value) {
  const builder = new GraphBuilder('network');
  const x = builder.input('x', 'float32', [examples, ...shape]);
  const output = write(x, (op, inputs, attributes) => builder.apply(op, inputs, attributes), builder);
  return mixingOf(builder.build([output]), examples);
}

const reshape = (apply: Apply, x: Value, ...shape: number[]): Value => apply('Reshape', [x], { shape });
const transpose = (apply: Apply, x: Value, ...perm: number[]): Value => apply('Transpose', [x], { perm });

/** Attention of [length, N, 4] over its first axis, with two heads, as PyTorch's MultiheadAttention writes it. */
function attention(x: Value, apply: Apply): Value {
  const [length, count] = x.shape as [number, number];
  const heads = transpose(apply, reshape(apply, x, length, count * 2, 2), 1, 0, 2);
  const scores = apply('Softmax', [apply('MatMul', [heads, transpose(apply, heads, 0, 2, 1)])], { axis: -1 });
  const mixed = transpose(apply, apply('MatMul', [scores, heads]), 1, 0, 2);
  return reshape(apply, mixed, length, count, 4);
}

describe('examples that stay apart', () => {
  it('merged with tokens and heads, moved and taken apart again', () => {
    const result = found([5, 4], (x, apply) => {
      const out = attention(transpose(apply, x, 1, 0, 2), apply);
      return apply('ReduceMean', [out], { axes: [0], keepdims: 0 });
    });
    expect(result).toBeNull();
  });

  it('step by step along an axis that holds times and examples', () => {
    const result = found([5, 4], (x, apply, builder) => {
      const merged = reshape(apply, transpose(apply, x, 1, 0, 2), 5 * examples, 4);
      const start = apply('Slice', [merged], { starts: [2 * examples], ends: [3 * examples], axes: [0] });
      const others = builder.constant(new Float32Array(4 * examples), [examples, 4]);
      return apply('Concat', [start, others, merged], { axis: 0 });
    });
    expect(result).toBeNull();
  });
});

describe('steps and functions of one element', () => {
  it('keep examples apart', () => {
    const result = found([4], (x, apply, builder) => {
      const steps = ['Atan', 'Floor', 'Ceil', 'Round'].reduce((value, op) => apply(op, [value]), x);
      return apply('Mod', [steps, builder.scalar(3)], { fmod: 1 });
    });
    expect(result).toBeNull();
  });
});

describe('numbers that are looked up', () => {
  /** Of each example of four numbers, the one at a place that it says itself, as GatherElements is read; of extent `most` + 1. */
  const lookedUp = (offset: (example: number) => number, most = 3) =>
    found([4], (x, apply, builder) => {
      const number = (value: number) => builder.scalar(value, 'int32');
      const index = apply('Cast', [apply('ReduceMax', [x], { axes: [1], keepdims: 0 })], { to: 'int32' });
      const offsets = builder.constant(Int32Array.from({ length: examples }, (_, k) => offset(k)), [examples], 'int32');
      const places = apply('Add', [apply('Mul', [index, number(1)]), offsets]);
      const outside = apply('Or', [apply('Less', [index, number(0)]), apply('Greater', [index, number(most)])]);
      const checked = apply('Where', [outside, number(4 * examples), places]);
      return apply('Gather', [reshape(apply, x, 4 * examples), checked], { axis: 0 });
    });

  it('are each example’s own where places stay within its numbers', () => {
    expect(lookedUp((k) => 4 * k)).toBeNull();
  });

  it('may be another’s where they do not', () => {
    expect(lookedUp((k) => 4 * ((k + 1) % examples))).toMatchObject({ node: { op: 'Gather' }, certain: false });
    expect(lookedUp((k) => 4 * k, 4)).toMatchObject({ node: { op: 'Gather' }, certain: false });
  });
}); // prettier-ignore

describe('examples that come together', () => {
  it('in a mean or softmax over them, which is certain', () => {
    const mean = found([4], (x, apply) => apply('Sub', [x, apply('ReduceMean', [x], { axes: [0] })]));
    expect(mean).toMatchObject({ node: { op: 'ReduceMean' }, certain: true });
    const turned = found([4], (x, apply) => apply('Softmax', [transpose(apply, x, 1, 0)], { axis: -1 }));
    expect(turned).toMatchObject({ node: { op: 'Softmax' }, certain: true });
  });

  it.each<[string, Shape, string, (x: Value, apply: Apply) => Value]>([
    ['attention whose first axis is the examples', [5, 4], 'MatMul', attention],
    ['outputs [N, 1] less targets [N]', [1], 'Sub', (x, apply) => apply('Sub', [x, reshape(apply, x, examples)])],
    ['products of each with each', [4], 'Gemm', (x, apply) => apply('Gemm', [x, x], { transB: 1 })],
    ['one of them, for all', [4], 'Gather', (x, apply) => apply('Gather', [x, apply('Cast', [reshape(apply, apply('ReduceSum', [x], { axes: [1] }), examples)], { to: 'int64' })], { axis: 0 })],
    ['those behind each other', [4], 'Slice', (x, apply) => apply('Slice', [x], { starts: [-1], ends: [-99], axes: [0], steps: [-1] })],
  ])('%s', (_, shape, op, write) => {
    expect(found(shape, write)).toMatchObject({ node: { op }, certain: false });
  });
}); // prettier-ignore
