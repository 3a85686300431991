import { GraphError } from '../../errors.js';
import type { DType } from '../../graph/types.js';
import { bytesPerElement, dataTypeName, type OnnxDType } from './dtypes.js';
import type { Tensor } from './onnx_pb.js';
import { Tensor_DataLocation } from './onnx_pb.js';
import { halfToNumber } from '../../num/half.js';
import { mostAxes, type StaticTensor } from '../import/static-tensor.js';

/** Bytes of a file beside the model, by its location as the model names it. */
export type ExternalData = (location: string) => Uint8Array;

/** The element type in which our graphs hold numbers of an ONNX type. */
export function graphDType(dtype: OnnxDType): DType {
  switch (dtype) {
    case 'float16':
    case 'bfloat16':
    case 'float32':
    case 'float64':
      return 'float32';
    case 'int8':
    case 'int16':
    case 'uint16':
    case 'int32':
      return 'int32';
    case 'uint8':
    case 'bool':
    case 'int64':
      return dtype;
  }
}

/**
 * The numbers of a tensor. Nothing is allocated before the claimed shape has been compared with the bytes that are
 * there. Throws GraphError where they do not agree, or the element type is not one of numbers.
 */
export function readTensor(tensor: Tensor, external?: ExternalData): StaticTensor {
  const dtype = dataTypeName(tensor.dataType);
  if (dtype === undefined) {
    throw damaged(
      tensor,
      `element type ${tensor.dataType}`,
      'numbers (no strings, no complex or packed types)',
    );
  }
  if (tensor.dims.length > mostAxes)
    throw damaged(tensor, `${tensor.dims.length} axes`, `at most ${mostAxes}`);
  const shape = tensor.dims.map(Number);
  if (shape.some((extent) => !Number.isSafeInteger(extent) || extent < 0)) {
    throw damaged(tensor, `shape [${shape.join(', ')}]`, 'extents that are not negative');
  }
  const size = shape.reduce((product, extent) => product * extent, 1);
  return { dtype: graphDType(dtype), shape, data: numbersOf(tensor, dtype, size, external) };
}

function numbersOf(
  tensor: Tensor,
  dtype: OnnxDType,
  size: number,
  external: ExternalData | undefined,
): Float64Array | Float32Array {
  const raw =
    tensor.dataLocation === Tensor_DataLocation.EXTERNAL ? externalBytes(tensor, external) : tensor.rawData;
  const listed = raw.length === 0 && tensor.dataLocation !== Tensor_DataLocation.EXTERNAL;
  if (listed && size > 0) return fromList(tensor, dtype, size);
  if (raw.length !== size * bytesPerElement[dtype]) {
    const expected = `${size * bytesPerElement[dtype]} bytes for shape [${tensor.dims.join(', ')}]`;
    throw damaged(tensor, `${raw.length} bytes`, expected);
  }
  return fromBytes(raw, dtype, size);
}

/** Numbers that are stored one by one in the list that belongs to the element type. */
function fromList(tensor: Tensor, dtype: OnnxDType, size: number): Float64Array | Float32Array {
  const list = listOf(tensor, dtype);
  if (list.length !== size) {
    throw damaged(tensor, `${list.length} numbers`, `${size} for shape [${tensor.dims.join(', ')}]`);
  }
  if (dtype === 'float16' || dtype === 'bfloat16') {
    return Float32Array.from(list as number[], (bits) => halfToNumber(dtype, bits));
  }
  return graphDType(dtype) === 'float32' ? Float32Array.from(list, Number) : Float64Array.from(list, Number);
}

function listOf(tensor: Tensor, dtype: OnnxDType): readonly (number | bigint)[] {
  if (dtype === 'float32') return tensor.floatData;
  if (dtype === 'float64') return tensor.doubleData;
  return dtype === 'int64' ? tensor.int64Data : tensor.int32Data;
}

type Get = (view: DataView, offset: number) => number;

const getters: Readonly<Record<OnnxDType, Get>> = {
  float32: (view, offset) => view.getFloat32(offset, true),
  float64: (view, offset) => view.getFloat64(offset, true),
  float16: (view, offset) => halfToNumber('float16', view.getUint16(offset, true)),
  bfloat16: (view, offset) => halfToNumber('bfloat16', view.getUint16(offset, true)),
  uint8: (view, offset) => view.getUint8(offset),
  int8: (view, offset) => view.getInt8(offset),
  uint16: (view, offset) => view.getUint16(offset, true),
  int16: (view, offset) => view.getInt16(offset, true),
  int32: (view, offset) => view.getInt32(offset, true),
  int64: (view, offset) => Number(view.getBigInt64(offset, true)),
  bool: (view, offset) => (view.getUint8(offset) === 0 ? 0 : 1),
};

function fromBytes(bytes: Uint8Array, dtype: OnnxDType, size: number): Float64Array | Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const numbers = graphDType(dtype) === 'float32' ? new Float32Array(size) : new Float64Array(size);
  const get = getters[dtype];
  const width = bytesPerElement[dtype];
  for (let k = 0; k < size; k++) numbers[k] = get(view, k * width);
  return numbers;
}

/** The part of a file beside the model that holds the tensor. */
function externalBytes(tensor: Tensor, external: ExternalData | undefined): Uint8Array {
  const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value]));
  const location = entries.get('location') ?? '';
  if (location === '' || location.startsWith('/') || /(^|[\\/])\.\.([\\/]|$)|^[a-z]:/i.test(location)) {
    throw damaged(tensor, `external data in ${JSON.stringify(location)}`, "a file in the model's own folder");
  }
  if (external === undefined) {
    throw damaged(
      tensor,
      `external data in ${location}`,
      'the folder of the model',
      'give the model as a file',
    );
  }
  const file = external(location);
  const offset = Number(entries.get('offset') ?? 0);
  const length = Number(entries.get('length') ?? file.length - offset);
  if (!(offset >= 0 && length >= 0 && offset + length <= file.length)) {
    throw damaged(
      tensor,
      `bytes ${offset} to ${offset + length} of ${location}`,
      `at most its ${file.length} bytes`,
    );
  }
  return file.subarray(offset, offset + length);
}

function damaged(
  tensor: Tensor,
  given: string,
  expected: string,
  remedy = 'check that the model was copied completely, and export it again',
): GraphError {
  return new GraphError({ given: `tensor ${tensor.name || '(unnamed)'} with ${given}`, expected, remedy });
}
