import type { DType, TensorData } from '../../graph/types.js';

/** Element types of ONNX tensors that this project reads or writes, with their codes in the file format. */
const codes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  bfloat16: 16,
} as const;

/** Element types that are read or written. */
export type OnnxDType = keyof typeof codes;

const names = new Map<number, OnnxDType>(
  Object.entries(codes).map(([name, code]) => [code, name as OnnxDType]),
);

/** Bytes of one element. */
export const bytesPerElement: Readonly<Record<OnnxDType, number>> = {
  float32: 4,
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  int32: 4,
  int64: 8,
  bool: 1,
  float16: 2,
  float64: 8,
  bfloat16: 2,
};

/** Code of an element type in the ONNX file format. */
export function dataTypeCode(dtype: OnnxDType | DType): number {
  return codes[dtype];
}

/** Element type of a code; undefined for the ones not supported (strings, complex numbers, 4 and 8 bit floats). */
export function dataTypeName(code: number): OnnxDType | undefined {
  return names.get(code);
}

type Put = (view: DataView, offset: number, number: number) => void;

const put: Readonly<Partial<Record<OnnxDType, Put>>> = {
  float32: (view, offset, number) => view.setFloat32(offset, number, true),
  float64: (view, offset, number) => view.setFloat64(offset, number, true),
  int32: (view, offset, number) => view.setInt32(offset, number, true),
  int64: (view, offset, number) => view.setBigInt64(offset, BigInt(number), true),
  uint8: (view, offset, number) => view.setUint8(offset, number),
  bool: (view, offset, number) => view.setUint8(offset, number === 0 ? 0 : 1),
};

/** Numbers [n] as ONNX stores them: little-endian, row-major, in the given element type. */
export function tensorBytes(dtype: OnnxDType, data: TensorData): Uint8Array {
  const width = bytesPerElement[dtype];
  const bytes = new Uint8Array(data.length * width);
  const view = new DataView(bytes.buffer);
  const write = put[dtype]!;
  for (let i = 0; i < data.length; i++) write(view, i * width, Number(data[i]));
  return bytes;
}
