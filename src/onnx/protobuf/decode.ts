import { fromBinary } from '@bufbuild/protobuf';
import { GraphError } from '../../errors.js';
import { excessOf } from './limits.js';
import type { Model } from './onnx_pb.js';
import { ModelSchema } from './onnx_pb.js';

/** What a model's fields begin with: number and wire type of each field of ONNX's ModelProto, in the form of protobuf. */
const fieldStarts = new Set([0x08, 0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42, 0x72, 0xa2, 0xca, 0xd2]);

/** How many bytes `requireOnnxStart` needs. */
export const onnxStartBytes = 1;

/** Throws GraphError where a file does not begin like a model, so that no other file is read whole. */
export function requireOnnxStart(start: Uint8Array): void {
  if (!fieldStarts.has(start[0] ?? -1)) throw damaged('a file that is', 'it begins with no field of a model');
}

/**
 * Decodes a model file; tensors stay views of `bytes`. Throws GraphError where it is no ONNX file, is cut off, or holds more
 * entries than a model has.
 */
export function decodeModel(bytes: Uint8Array): Model {
  const excess = attempt(bytes, () => excessOf(ModelSchema, bytes));
  if (excess !== null) throw damaged(inWords(bytes), excess);
  const model = attempt(bytes, () => fromBinary(ModelSchema, bytes, { readUnknownFields: false }));
  if (model.graph === undefined || model.irVersion === 0n) throw damaged(inWords(bytes), 'no graph');
  return model;
}

function attempt<T>(bytes: Uint8Array, decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    throw damaged(inWords(bytes), cause instanceof Error ? cause.message : String(cause), cause);
  }
}

const inWords = (bytes: Uint8Array) => `${bytes.length} bytes that are`;

function damaged(what: string, problem: string, cause?: unknown): GraphError {
  return new GraphError(
    {
      given: `${what} not a readable ONNX model: ${problem}`,
      expected: 'an ONNX model file, whole and uncompressed',
      remedy: 'check that the file was copied completely, and export it again',
    },
    { cause },
  );
}
