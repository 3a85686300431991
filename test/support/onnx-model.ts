import type { TensorData } from '../../src/graph/types.js';
import { tensorBytes } from '../../src/onnx/protobuf/dtypes.js';
import {
  encodeModel,
  type InitializerSpec,
  type ModelSpec,
  type NodeSpec,
} from '../../src/onnx/protobuf/encode.js';

/** A node that is named after its operator and first output. */
export function node(
  op: string,
  inputs: string[],
  outputs: string[],
  attributes: NodeSpec['attributes'] = {},
): NodeSpec {
  return { op, name: `${op}/${outputs[0]!}`, inputs, outputs, attributes };
}

/** An initialiser of these numbers, row-major in `shape`. */
export function tensor(
  name: string,
  shape: number[],
  data: TensorData,
  dtype: 'float32' | 'int64' = 'float32',
): InitializerSpec {
  return { name, dtype, shape, bytes: tensorBytes(dtype, data) };
}

/** An initialiser of the numbers 0, 1/n, 2/n, … */
export function ramp(name: string, shape: number[]): InitializerSpec {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    name,
    shape,
    Array.from({ length: size }, (_, k) => k / size),
  );
}

/** A model file with one input `input` and one output `y`. */
export function modelOf(input: (number | string)[], parts: Partial<ModelSpec>): Uint8Array {
  return encodeModel({
    name: 'model',
    opset: 17,
    inputs: [{ name: 'input', dtype: 'float32', shape: input }],
    outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 1] }],
    initializers: [],
    nodes: [],
    ...parts,
  });
}
