import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { tensorBytes } from '../../src/onnx/protobuf/dtypes.js';
import { encodeModel, type ModelSpec, type NodeSpec } from '../../src/onnx/protobuf/encode.js';
import { ModelSchema, TensorSchema } from '../../src/onnx/protobuf/onnx_pb.js';

const weight = {
  name: 'fc.weight',
  dtype: 'float32',
  shape: [4, 3],
  bytes: tensorBytes('float32', new Float32Array(12).fill(0.5)),
} as const;
/** A node of a model. */
export const node = (
  op: string,
  inputs: string[],
  outputs: string[],
  attributes: NodeSpec['attributes'] = {},
): NodeSpec => ({ op, name: outputs[0]!, inputs, outputs, attributes });

/** A model with one layer, and what is changed of it. */
export function model(change: Partial<ModelSpec> = {}): Uint8Array {
  return encodeModel({
    name: 'model',
    opset: 17,
    inputs: [{ name: 'input', dtype: 'float32', shape: ['batch', 4] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 3] }],
    initializers: [weight],
    nodes: [node('MatMul', ['input', 'fc.weight'], ['y'])],
    ...change,
  });
}

/** The good model with another graph. */
function withGraph(change: (graph: NonNullable<ReturnType<typeof decoded>['graph']>) => void): Uint8Array {
  const whole = decoded();
  change(whole.graph!);
  return toBinary(ModelSchema, whole);
}
const decoded = () => fromBinary(ModelSchema, model());

/** The good model with its weights in another file. */
export const external = (location: string) =>
  withGraph((graph) => {
    graph.initializer = [
      create(TensorSchema, {
        name: 'fc.weight',
        dims: [4n, 3n],
        dataType: 1,
        dataLocation: 1,
        externalData: [{ key: 'location', value: location }],
      }),
    ];
  });

/** A protobuf field of bytes. */
export function field(number: number, content: Uint8Array): Uint8Array {
  const length: number[] = [];
  for (let rest = content.length; ; rest >>>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) return Buffer.concat([Uint8Array.of(8 * number + 2, ...length), content]);
  }
}

/** A model whose nodes (1) hold a branch: an attribute (5) that is a graph (6). */
export function nestedBranches(depth: number): Uint8Array {
  let graph: Uint8Array = new Uint8Array(0);
  for (let k = 0; k < depth; k++)
    graph = field(1, Buffer.concat([field(4, Buffer.from('If')), field(5, field(6, graph))]));
  return Buffer.concat([Uint8Array.of(8, 8, 0x42, 2, 16, 17), field(7, graph)]);
}

/** A model that repeats what it computed so many times. */
export function tiled(times: number): Uint8Array {
  const repeats = { name: 'r', dtype: 'int64', shape: [2], bytes: tensorBytes('int64', [1, times]) } as const;
  const nodes = [node('MatMul', ['input', 'fc.weight'], ['h']), node('Tile', ['h', 'r'], ['y'])];
  return model({ initializers: [weight, repeats], nodes });
}

/** A file with a header, whose length may be claimed to be another. */
export function safetensors(header: string | Uint8Array, claimed?: bigint): Uint8Array {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(claimed ?? BigInt(header.length));
  return Buffer.concat([length, Buffer.from(header)]);
}

/** A trajectory with a shape and a length of its own claims. */
export const claims = (shape: number[], bytes: number) =>
  safetensors(JSON.stringify({ theta: { dtype: 'F32', shape, data_offsets: [0, bytes] } }));

/** An npy file that claims a shape. */
export function npyClaim(shape: string): Uint8Array {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape}), }`.padEnd(117) + '\n';
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00v\x00', 'latin1'), Buffer.from(header)]);
}

/** A good trajectory: [rows, K]. */
export const theta = { shape: [3, 12], data: Float32Array.from({ length: 36 }, (_, k) => k / 10) };
/** A model in which two nodes wait for each other. */
export const cyclic = model({ nodes: [node('Add', ['y', 'input'], ['h']), node('Relu', ['h'], ['y'])] });
/** The good model, whose examples have so many numbers. */
export const input = (extent: number) =>
  model({ inputs: [{ name: 'input', dtype: 'float32', shape: ['batch', extent] }] });
