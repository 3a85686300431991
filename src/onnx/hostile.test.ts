import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { GraphError, isLossledgerError } from '../errors.js';
import { encodeModel, type ModelSpec, type NodeSpec } from './protobuf/encode.js';
import { inspectOnnx, readOnnx } from './index.js';
import { ModelSchema, TensorSchema } from './protobuf/onnx_pb.js';
import { tensorBytes } from './protobuf/dtypes.js';

function node(
  op: string,
  inputs: string[],
  outputs: string[],
  attributes: NodeSpec['attributes'] = {},
): NodeSpec {
  return { op, name: outputs[0]!, inputs, outputs, attributes };
}

function ints(name: string, data: readonly number[]) {
  return { name, dtype: 'int64', shape: [data.length], bytes: tensorBytes('int64', data) } as const;
}

/** A linear layer, and whatever is added to it. */
function modelOf(change: Partial<ModelSpec>): Uint8Array {
  const weight = tensorBytes('float32', new Float32Array(12).fill(0.5));
  return encodeModel({
    name: 'model',
    opset: 17,
    inputs: [{ name: 'input', dtype: 'float32', shape: ['batch', 4] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 3] }],
    initializers: [{ name: 'fc.weight', dtype: 'float32', shape: [4, 3], bytes: weight }],
    nodes: [node('MatMul', ['input', 'fc.weight'], ['y'])],
    ...change,
  });
}

/** A good model with one more tensor, whose fields are given as they are. */
function withTensor(fields: MessageInitShape<typeof TensorSchema>): Uint8Array {
  const model = fromBinary(ModelSchema, modelOf({}));
  model.graph!.initializer.push(create(TensorSchema, { name: 'w', dataType: 1, ...fields }));
  return toBinary(ModelSchema, model);
}

const dense = node('MatMul', ['input', 'fc.weight'], ['h']);

/** Models that a network cannot be, with what the error names. */
const malformed: readonly (readonly [string, () => Uint8Array, RegExp])[] = [
  ['no bytes', () => new Uint8Array(0), /not a readable ONNX model/],
  ['text', () => Uint8Array.from('{"model": true}', (c) => c.charCodeAt(0)), /not a readable ONNX model/],
  [
    'a length of 2 GiB',
    () => Uint8Array.of(8, 8, 0x3a, 255, 255, 255, 255, 7, 1, 2),
    /not a readable ONNX model/,
  ],
  [
    'a length of 4 GiB in an unknown field',
    () => Uint8Array.of(8, 8, 0x9a, 1, 255, 255, 255, 255, 15, 1),
    /not a readable/,
  ],
  ['nested groups', () => new Uint8Array(100_000).fill(0x0b), /not a readable ONNX model/],
  ['two million nodes', () => manyNodes(2_000_000), /more than \d+ entries/],
  ['sixty thousand nodes', () => manyNodes(60_000), /60000 nodes/],
  [
    'a cycle',
    () => modelOf({ nodes: [node('Add', ['y', 'input'], ['h']), node('Relu', ['h'], ['y'])] }),
    /cycle through node/,
  ],
  [
    'a node that reads itself',
    () => modelOf({ nodes: [node('Relu', ['y'], ['y'])] }),
    /cycle through node y/,
  ],
  [
    'a tensor made twice',
    () => modelOf({ nodes: [dense, node('Relu', ['input'], ['h'])] }),
    /tensor h, made twice/,
  ],
  [
    'a missing tensor',
    () => modelOf({ nodes: [node('Relu', ['nowhere'], ['y'])] }),
    /reads nowhere, which nothing makes/,
  ],
  ['an output that is not there', () => modelOf({ nodes: [dense] }), /output y/],
  ['opset 10', () => modelOf({ opset: 10 }), /opset 10[^]*opset 11 to/],
  ['opset 99', () => modelOf({ opset: 99 }), /opset 99/],
  [
    'an output that no input leads to',
    () =>
      modelOf({ inputs: ['a', 'b'].map((name) => ({ name, dtype: 'float32', shape: [1, 4] })), nodes: [] }),
    /output y that does not depend on the input/,
  ],
  [
    'an open extent',
    () => modelOf({ inputs: [{ name: 'input', dtype: 'float32', shape: ['n', 'm'] }] }),
    /input input of shape \[\?, \?\]/,
  ],
  [
    'an unknown operator',
    () => modelOf({ nodes: [dense, { ...node('Scan', ['h'], ['y']), name: 'cell' }] }),
    /operator Scan of node cell \(opset 17\)[^]*without branches or loops/,
  ],
  [
    'a tensor claimed to be huge',
    () => withTensor({ dims: [2n ** 40n, 2n ** 40n], rawData: new Uint8Array(8) }),
    /tensor w with 8 bytes/,
  ],
  ['a shape of negative extents', () => withTensor({ dims: [-4n] }), /tensor w with shape \[-4\]/],
  ['a shape of many axes', () => withTensor({ dims: new Array<bigint>(1000).fill(1n) }), /1000 axes/],
  ['too few numbers', () => withTensor({ dims: [3n], floatData: [1, 2] }), /tensor w with 2 numbers/],
  ['an unknown element type', () => withTensor({ dims: [1n], dataType: 77 }), /element type 77/],
  [
    'external data outside',
    () =>
      withTensor({ dims: [1n], dataLocation: 1, externalData: [{ key: 'location', value: '../secret' }] }),
    /external data in "..\/secret"/,
  ],
  [
    'a constant of 2^60 numbers',
    () =>
      modelOf({
        initializers: [ints('s', [2 ** 30, 2 ** 30])],
        nodes: [node('ConstantOfShape', ['s'], ['y'])],
      }),
    /too many numbers|at most/,
  ],
  [
    'a range without end',
    () =>
      modelOf({
        initializers: [ints('a', [0]), ints('b', [2 ** 52]), ints('c', [1])],
        nodes: [node('Range', ['a', 'b', 'c'], ['y'])],
      }),
    /too many numbers/,
  ],
  ['an expansion to 2^62 elements', () => expanded([2 ** 31, 2 ** 31]), /a result of shape/],
  [
    'a growing constant',
    () => modelOf({ initializers: [ints('c', [1, 2])], nodes: doubling(40) }),
    /too many numbers|at most/,
  ],
  [
    'a window that does not fit',
    () => modelOf({ nodes: [node('MaxPool', ['input'], ['y'], { kernel_shape: [2 ** 40] })] }),
    /MaxPool/,
  ],
  [
    'a label for a batch axis only',
    () => modelOf({ inputs: [{ name: 'input', dtype: 'float32', shape: [] }] }),
    /a batch axis/,
  ],
];

function manyNodes(count: number): Uint8Array {
  const graph = new Uint8Array(2 * count);
  for (let k = 0; k < graph.length; k += 2) graph[k] = 0x0a;
  const length: number[] = [];
  for (let rest = graph.length; ; rest >>>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) break;
  }
  return concat([Uint8Array.of(8, 8, 0x42, 2, 16, 17, 0x3a, ...length), graph]);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function expanded(shape: readonly number[]): Uint8Array {
  return modelOf({
    initializers: [ints('s', shape)],
    nodes: [node('ReduceSum', ['input'], ['h'], { keepdims: 0 }), node('Expand', ['h', 's'], ['y'])],
  });
}

/** A vector that is joined with itself again and again. */
function doubling(times: number): NodeSpec[] {
  return Array.from({ length: times }, (_, k) =>
    node('Concat', k === 0 ? ['c', 'c'] : [`c${k}`, `c${k}`], [k === times - 1 ? 'y' : `c${k + 1}`], {
      axis: 0,
    }),
  );
}

describe('a malformed model', () => {
  it.each(malformed)('with %s is refused, saying what is wrong', (_, build, message) => {
    const bytes = build();
    expect(() => readOnnx(bytes)).toThrow(GraphError);
    expect(() => readOnnx(bytes)).toThrow(message);
  });

  it('is told from a good one', () => {
    expect(readOnnx(modelOf({}))).toMatchObject({ inputShape: [4], outputShape: [3] });
  });

  it('cut off anywhere is refused or still a network', () => {
    const whole = modelOf({});
    for (let length = 0; length < whole.length; length++) expectRefusedOrRead(whole.subarray(0, length));
  });
});

function expectRefusedOrRead(bytes: Uint8Array): void {
  for (const read of [readOnnx, inspectOnnx]) {
    try {
      read(bytes);
    } catch (error) {
      if (!isLossledgerError(error)) throw error;
      expect(error.exitCode).toBe(2);
    }
  }
}
