import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GraphError } from '../../errors.js';
import { GraphBuilder } from '../builder.js';
import type { Attributes, DType, Shape } from '../types.js';
import { operators } from './index.js';

type Given = Shape | { readonly dtype: DType; readonly shape: Shape } | null;
type Row = readonly [op: string, inputs: readonly Given[], attributes: Attributes, outputs: readonly Shape[]];

const int32 = (shape: Shape): Given => ({ dtype: 'int32', shape });
const bool = (shape: Shape): Given => ({ dtype: 'bool', shape });

function infer(op: string, inputs: readonly Given[], attributes: Attributes): readonly Shape[] {
  const builder = new GraphBuilder('test');
  const values = inputs.map((given, k) => {
    if (given === null) return null;
    const { dtype, shape } = 'dtype' in given ? given : { dtype: 'float32' as const, shape: given };
    return builder.input(`i${k}`, dtype, shape);
  });
  return builder.add(op, values, attributes, 'node').map((value) => value.shape);
}

const fits: readonly Row[] = [
  ['Add', [[2, 1, 4], [3, 1]], {}, [[2, 3, 4]]],
  ['Where', [bool([3]), [2, 1], []], {}, [[2, 3]]],
  ['Cast', [[2, 3]], { to: 'int64' }, [[2, 3]]],
  ['MatMul', [[5, 1, 2, 3], [4, 3, 6]], {}, [[5, 4, 2, 6]]],
  ['MatMul', [[3], [4, 3, 6]], {}, [[4, 6]]],
  ['MatMul', [[3], [3]], {}, [[]]],
  ['Gemm', [[3, 2], [4, 3], [4]], { transA: 1, transB: 1 }, [[2, 4]]],
  ['Einsum', [[2, 3, 4], [4, 5, 2]], { equation: 'bij, jkb -> bik' }, [[2, 3, 5]]],
  ['Einsum', [[2, 7, 3, 4], [2, 7, 5, 4]], { equation: '...qd,...kd->...qk' }, [[2, 7, 3, 5]]],
  ['Einsum', [[2, 3], [3, 4]], { equation: 'ij,jk' }, [[2, 4]]],
  ['ReduceSum', [[2, 3, 4]], { axes: [-1, 0], keepdims: 0 }, [[3]]],
  ['ReduceMean', [[2, 3, 4]], {}, [[1, 1, 1]]],
  ['Reshape', [[2, 3, 4]], { shape: [4, 6] }, [[4, 6]]],
  ['Flatten', [[2, 3, 4]], {}, [[2, 12]]],
  ['Flatten', [[2, 3, 4]], { axis: 3 }, [[24, 1]]],
  ['Transpose', [[2, 3, 4]], { perm: [1, 2, 0] }, [[3, 4, 2]]],
  ['Squeeze', [[1, 3, 1]], { axes: [-1] }, [[1, 3]]],
  ['Unsqueeze', [[3]], { axes: [0, -1] }, [[1, 3, 1]]],
  ['Expand', [[3, 1]], { shape: [2, 1, 4] }, [[2, 3, 4]]],
  ['Tile', [[2, 3]], { repeats: [2, 3] }, [[4, 9]]],
  ['Concat', [[2, 3], [2, 5]], { axis: -1 }, [[2, 8]]],
  ['Split', [[2, 5]], { axis: 1, split: [2, 3] }, [[2, 2], [2, 3]]],
  ['Slice', [[10, 4]], { starts: [-3, 9], ends: [-10, -9], axes: [0, 1], steps: [-2, -3] }, [[4, 2]]],
  ['Pad', [[2, 5]], { pads: [0, -1, 1, 2] }, [[3, 6]]],
  ['Gather', [[5, 6], int32([2, 3])], { axis: 1 }, [[5, 2, 3]]],
  ['GatherGrad', [[5, 2, 3], int32([2, 3])], { axis: 1, input_shape: [5, 6] }, [[5, 6]]],
  ['Conv', [[2, 6, 9, 8], [4, 3, 3, 2], [4]], { group: 2, strides: [2, 1], pads: [1, 0, 1, 1], dilations: [2, 3] }, [[2, 4, 4, 6]]],
  ['ConvTranspose', [[2, 4, 5], [4, 3, 3]], { group: 2, strides: [2], pads: [1, 1], output_padding: [1] }, [[2, 6, 10]]],
  ['MaxPool', [[1, 2, 5, 5]], { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }, [[1, 2, 3, 3]]],
  ['AveragePool', [[1, 2, 4]], { kernel_shape: [2], strides: [3], pads: [0, 1], ceil_mode: 1 }, [[1, 2, 2]]],
  ['GlobalAveragePool', [[2, 3, 4, 5]], {}, [[2, 3, 1, 1]]],
  ['BatchNormTraining', [[2, 3, 4], [3], [3]], {}, [[2, 3, 4], [3], [3]]],
  ['LayerNormalization', [[2, 3, 4], [3, 4], null], { axis: 1 }, [[2, 3, 4], [2, 1, 1], [2, 1, 1]]],
  ['GroupNormalization', [[2, 6, 4], [6], [6]], { num_groups: 3 }, [[2, 6, 4], [2, 3], [2, 3]]],
  ['SoftmaxCrossEntropyLoss', [[5, 3], int32([5]), [3]], { reduction: 'sum' }, [[]]],
]; // prettier-ignore

const misfits: readonly (readonly [op: string, inputs: readonly Given[], attributes: Attributes, message: RegExp])[] = [
  ['Add', [[2, 3], [2]], {}, /Add node node of float32 \[2, 3\], float32 \[2\]\s+expected: shapes that broadcast/],
  ['Add', [[2], int32([2])], {}, /one type/],
  ['Conv', [[2, 3, 4, 4], [4, 2, 3, 3]], {}, /input channels/],
  ['Conv', [[2, 3, 2, 2], [4, 3, 3, 3]], {}, /window that fits/],
  ['ConvTranspose', [[2, 3, 4, 4], [3, 4, 3, 3]], { strides: [2, 2], pads: [5, 1, 5, 1] }, /pads that leave .* \[-1, 7\]/],
  ['MatMul', [[2, 3], [4, 3]], {}, /\[\.\.\., K, N\]/],
  ['Softmax', [[2, 3]], { axis: 2 }, /an axis in \[-2, 1\], not 2/],
  ['Pad', [[2]], { pads: [0, 0], mode: 'reflect' }, /not mode/],
  ['Concat', [[2], [2]], {}, /attribute axis: an integer/],
  ['Gather', [[2], [1]], {}, /int32 or int64 indices/],
  ['Reshape', [[2, 3]], { shape: [-1] }, /a shape of 6 elements/],
  ['Where', [bool([2]), null, [2]], {}, /input 1 connected/],
  ['Einsum', [[2, 2], [2]], { equation: 'ii,i->i' }, /one distinct letter/],
]; // prettier-ignore

describe('shape inference', () => {
  it.each(fits)('%s %j %j', (op, inputs, attributes, outputs) => {
    expect(infer(op, inputs, attributes)).toEqual(outputs);
  });

  it.each(misfits)('%s refuses %j %j', (op, inputs, attributes, message) => {
    expect(() => infer(op, inputs, attributes)).toThrow(GraphError);
    expect(() => infer(op, inputs, attributes)).toThrow(message);
  });

  it('covers exactly the operators of docs/OPERATORS.md', () => {
    const page = readFileSync(resolve(import.meta.dirname, '../../../docs/OPERATORS.md'), 'utf8');
    const [tables] = page.split('## Which engine knows what');
    const rows = [...tables!.matchAll(/^\| ([A-Z]\w*(?:, \w+)*) +\|/gm)];
    const documented = rows.flatMap((row) => row[1]!.split(', '));
    expect([...operators.keys()].sort()).toEqual(documented.sort());
  });
});
