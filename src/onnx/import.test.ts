import { describe, expect, it } from 'vitest';
import { feedTensors } from '../engines/reference/bind.js';
import { evaluate } from '../engines/reference/evaluate.js';
import { GraphBuilder } from '../graph/builder.js';
import type { TensorData } from '../graph/types.js';
import { encodeModel, type InitializerSpec, type NodeSpec } from './protobuf/encode.js';
import { readOnnx } from './index.js';
import { tensorBytes } from './protobuf/dtypes.js';

type Inputs = readonly (readonly [data: TensorData, dtype?: 'float32' | 'int64'] | null)[];

/** One operator of x [1, …] with constant further inputs; its result as one row. */
function resultOf(
  op: string,
  x: number[],
  others: Inputs,
  attributes: NodeSpec['attributes'] = {},
): number[] {
  const initializers = others.flatMap((input, k): InitializerSpec[] =>
    input === null
      ? []
      : [{ name: `constant${k}`, dtype: input[1] ?? 'int64', shape: [input[0].length], bytes: tensorBytes(input[1] ?? 'int64', input[0]) }],
  ); // prettier-ignore
  const names = others.map((input, k) => (input === null ? '' : `constant${k}`));
  const bytes = encodeModel({
    name: 'model',
    opset: 17,
    inputs: [{ name: 'input', dtype: 'float32', shape: ['batch', x.length] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 1] }],
    initializers,
    nodes: [{ op, name: op, inputs: ['input', ...names], outputs: ['y'], attributes }],
  });
  const builder = new GraphBuilder('graph');
  const value = builder.input('x', 'float32', [1, x.length]);
  const graph = builder.build([readOnnx(bytes).addTo(builder, value)]);
  return [...evaluate(graph, new Map(feedTensors(graph, { x: Float32Array.from(x) })))[0]!.data];
}

const pads = [0, 2, 0, 3];

describe('operators read as compositions', () => {
  it.each([
    ['reflect', [3, 2, 1, 2, 3, 4, 3, 2, 1]],
    ['edge', [1, 1, 1, 2, 3, 4, 4, 4, 4]],
    ['wrap', [3, 4, 1, 2, 3, 4, 1, 2, 3]],
  ])('Pad in mode %s', (mode, expected) => {
    expect(resultOf('Pad', [1, 2, 3, 4], [[pads]], { mode })).toEqual(expected);
  });

  it.each([
    [{}, [1, 3, 6, 10]],
    [{ reverse: 1 }, [10, 9, 7, 4]],
    [{ exclusive: 1 }, [0, 1, 3, 6]],
    [{ exclusive: 1, reverse: 1 }, [9, 7, 4, 0]],
  ])('CumSum with %j', (attributes, expected) => {
    expect(resultOf('CumSum', [1, 2, 3, 4], [[[1]]], attributes)).toEqual(expected);
  });

  const scales = (factor: number): Inputs => [null, [[1, factor], 'float32']];
  it.each([
    ['nearest', 'asymmetric', 2, [1, 1, 2, 2, 3, 3, 4, 4]],
    ['nearest', 'half_pixel', 0.5, [1, 3]],
    ['linear', 'half_pixel', 2, [1, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75, 4]],
    ['linear', 'align_corners', 1.75, [1, 1.5, 2, 2.5, 3, 3.5, 4]],
    ['linear', 'asymmetric', 0.5, [1, 3]],
    ['cubic', 'half_pixel', 1, [1, 2, 3, 4]],
  ])('Resize: %s, %s, by %d', (mode, coordinate_transformation_mode, factor, expected) => {
    const attributes = { mode, coordinate_transformation_mode, nearest_mode: 'floor' };
    const actual = resultOf('Resize', [1, 2, 3, 4], scales(factor), attributes);
    expect(actual.length).toBe(expected.length);
    actual.forEach((value, k) => expect(value).toBeCloseTo(expected[k]!, 6));
  });

  it('cubic resizing keeps constants, and mirrors what is mirrored', () => {
    const resized = (x: number[]): number[] => resultOf('Resize', x, scales(2.5), { mode: 'cubic' });
    resized([3, 3, 3, 3]).forEach((value) => expect(value).toBeCloseTo(3, 6));
    const mirrored = resized([7, -1, 4, 2]).reverse();
    resized([2, 4, -1, 7]).forEach((value, k) => expect(value).toBeCloseTo(mirrored[k]!, 5));
  });

  it('refuses what it does not know, saying what it does', () => {
    expect(() => resultOf('Resize', [1, 2], scales(2), { mode: 'fourier' })).toThrow(
      /mode among nearest, linear, cubic/,
    );
    expect(() => resultOf('Pad', [1, 2], [[pads]], { mode: 'mirror' })).toThrow(
      /mode constant, edge, wrap, reflect/,
    );
  });
});
