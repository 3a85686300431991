import type { DType } from '../graph/types.js';

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
