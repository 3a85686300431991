import type { TensorData } from '../graph/types.js';
import { bytesPerElement, type OnnxDType } from './dtypes.js';

type Put = (view: DataView, offset: number, number: number) => void;

const put: Readonly<Partial<Record<OnnxDType, Put>>> = {
  float32: (view, offset, number) => view.setFloat32(offset, number, true),
  float64: (view, offset, number) => view.setFloat64(offset, number, true),
  int32: (view, offset, number) => view.setInt32(offset, number, true),
  int64: (view, offset, number) => view.setBigInt64(offset, BigInt(number), true),
  uint8: (view, offset, number) => view.setUint8(offset, number),
  bool: (view, offset, number) => view.setUint8(offset, number === 0 ? 0 : 1),
};

/** The numbers as ONNX stores them: little-endian, row-major, in the given element type. */
export function tensorBytes(dtype: OnnxDType, data: TensorData): Uint8Array {
  const width = bytesPerElement[dtype];
  const bytes = new Uint8Array(data.length * width);
  const view = new DataView(bytes.buffer);
  const write = put[dtype]!;
  for (let i = 0; i < data.length; i++) write(view, i * width, Number(data[i]));
  return bytes;
}
