import { fromBinary } from '@bufbuild/protobuf';
import { GraphError } from '../../errors.js';
import { excessOf } from './limits.js';
import type { Model } from './onnx_pb.js';
import { ModelSchema } from './onnx_pb.js';

/**
 * Decodes a model file; tensors stay views of `bytes`. Throws GraphError where it is no ONNX file, is cut off, or holds more
 * entries than a model has.
 */
export function decodeModel(bytes: Uint8Array): Model {
  const excess = attempt(bytes, () => excessOf(ModelSchema, bytes));
  if (excess !== null) throw damaged(bytes, excess);
  const model = attempt(bytes, () => fromBinary(ModelSchema, bytes, { readUnknownFields: false }));
  if (model.graph === undefined || model.irVersion === 0n) throw damaged(bytes, 'no graph');
  return model;
}

function attempt<T>(bytes: Uint8Array, decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    throw damaged(bytes, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function damaged(bytes: Uint8Array, problem: string, cause?: unknown): GraphError {
  return new GraphError(
    {
      given: `${bytes.length} bytes that are not a readable ONNX model: ${problem}`,
      expected: 'an ONNX model file, whole and uncompressed',
      remedy: 'check that the file was copied completely, and export it again',
    },
    { cause },
  );
}
