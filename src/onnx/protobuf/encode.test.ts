import { fromBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { encodeModel } from './encode.js';
import { Attribute_Type, ModelSchema } from './onnx_pb.js';
import { tensorBytes } from './dtypes.js';

const spec = {
  name: 'line',
  opset: 21,
  inputs: [{ name: 'x', dtype: 'uint8', shape: [2, 3] }],
  outputs: [{ name: 'y', dtype: 'float32', shape: [2, 3] }],
  initializers: [{ name: 'w', dtype: 'float32', shape: [2], bytes: tensorBytes('float32', [0.5, -1]) }],
  nodes: [
    {
      op: 'Gemm',
      name: 'gemm',
      inputs: ['x', 'w', ''],
      outputs: ['y'],
      attributes: { alpha: 2, transB: 1, perm: [1, 0], mode: 'constant' },
    },
  ],
} as const;

describe('encodeModel', () => {
  const model = fromBinary(ModelSchema, encodeModel(spec));

  it('writes opset, names, types and shapes', () => {
    expect(model.opsetImport.map((entry) => entry.version)).toEqual([21n]);
    const type = model.graph!.input[0]!.type!.tensorType!;
    expect(type.elemType).toBe(2);
    expect(type.shape!.dim.map((dim) => dim.value.value)).toEqual([2n, 3n]);
    expect(model.graph!.node[0]!.input).toEqual(['x', 'w']);
  });

  it('writes numbers as float or int after the attribute, not after their value', () => {
    const attributes = new Map(model.graph!.node[0]!.attribute.map((entry) => [entry.name, entry]));
    expect(attributes.get('alpha')).toMatchObject({ type: Attribute_Type.FLOAT, f: 2 });
    expect(attributes.get('transB')).toMatchObject({ type: Attribute_Type.INT, i: 1n });
    expect(attributes.get('perm')).toMatchObject({ type: Attribute_Type.INTS, ints: [1n, 0n] });
    expect(attributes.get('mode')).toMatchObject({ type: Attribute_Type.STRING, s: 'constant' });
  });

  it('writes tensors as little-endian bytes', () => {
    expect([...model.graph!.initializer[0]!.rawData]).toEqual([0, 0, 0, 63, 0, 0, 128, 191]);
  });
});

describe('tensorBytes', () => {
  it('stores each element type in its own width', () => {
    expect([...tensorBytes('int64', [-2])]).toEqual([254, 255, 255, 255, 255, 255, 255, 255]);
    expect([...tensorBytes('int32', new Int32Array([258]))]).toEqual([2, 1, 0, 0]);
    expect([...tensorBytes('bool', [0, 7])]).toEqual([0, 1]);
    expect(tensorBytes('float64', [1]).length).toBe(8);
  });
});
