import { GraphError } from '../../errors.js';
import type { DType, Shape, Value } from '../../graph/types.js';
import { sizeOf } from '../../graph/types.js';

/** Tensors of more axes than this are refused; engines support fewer. */
export const mostAxes = 16;

/** A tensor whose numbers are known when a model is read. */
export interface StaticTensor {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly data: Float64Array | Float32Array;
}

/** What a name of the model stands for while it is translated: a value of our graph, or numbers known already. */
export type Operand = Value | StaticTensor;

/** Whether an operand's numbers are known. */
export function isStatic(operand: Operand): operand is StaticTensor {
  return 'data' in operand;
}

/** A tensor of known numbers [...shape], row-major. */
export function staticTensor(
  dtype: DType,
  shape: Shape,
  data: Float64Array | Float32Array | readonly number[],
): StaticTensor {
  return {
    dtype,
    shape,
    data: Array.isArray(data) ? Float64Array.from(data as readonly number[]) : (data as Float64Array),
  };
}

/** A vector of int64 numbers, as ONNX passes shapes and axes. */
export function intVector(numbers: readonly number[]): StaticTensor {
  return staticTensor('int64', [numbers.length], numbers);
}

/** Element strides of a row-major tensor, 0 along axes that broadcast, aligned to `rank` axes. */
export function broadcastStrides(shape: Shape, rank: number): number[] {
  const strides = new Array<number>(rank).fill(0);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis]! > 1) strides[rank - shape.length + axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** More numbers than this are never computed while a model is read. */
const mostNumbers = 2 ** 22;

/** A tensor whose element at each index is `pick(index)`. Throws GraphError where it has too many. */
export function tabulate(
  dtype: DType,
  shape: Shape,
  pick: (index: readonly number[]) => number,
): StaticTensor {
  if (!(shape.every((extent) => extent >= 0) && sizeOf(shape) <= mostNumbers)) {
    throw new GraphError({
      given: `a constant of shape [${shape.join(', ')}]`,
      expected: `at most ${mostNumbers} numbers computed from constants`,
      remedy: 'store it in the model as an initialiser',
    });
  }
  const data = new Float64Array(sizeOf(shape));
  const index = new Array<number>(shape.length).fill(0);
  for (let k = 0; k < data.length; k++) {
    data[k] = pick(index);
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--) index[axis] = 0;
  }
  return { dtype, shape, data };
}

/** Flat offset of an index. Index and strides have one number by axis. */
export function offsetOf(index: readonly number[], strides: readonly number[]): number {
  let offset = 0;
  for (let axis = 0; axis < strides.length; axis++) offset += index[axis]! * strides[axis]!;
  return offset;
}
