import { dataTypeName } from '../../protobuf/dtypes.js';
import type { StaticTensor } from '../static-tensor.js';
import { intVector, staticTensor, tabulate } from '../static-tensor.js';
import { graphDType, readTensor } from '../../protobuf/tensor.js';
import type { DType } from '../../../graph/types.js';
import { sizeOf } from '../../../graph/types.js';
import type { NodeContext, TranslationTable } from '../context.js';

/**
 * The element type that an attribute such as `to` names by its code. Throws GraphError for types that are not numbers.
 */
export function dtypeAttribute(context: NodeContext, name: string, otherwise: number): DType {
  const code = context.attributes.int(name, otherwise);
  const dtype = dataTypeName(code);
  if (dtype === undefined) return context.fail(`element type ${code}`, 'a type of numbers, or bool');
  return graphDType(dtype);
}

function constant(context: NodeContext): StaticTensor {
  const { attributes, state } = context;
  const tensor = attributes.tensor('value');
  if (tensor !== undefined) return readTensor(tensor, state.externalData);
  if (attributes.has('value_float')) return staticTensor('float32', [], [attributes.float('value_float', 0)]);
  if (attributes.has('value_int')) return staticTensor('int64', [], [attributes.int('value_int', 0)]);
  const floats = attributes.floats('value_floats');
  if (floats !== undefined) return staticTensor('float32', [floats.length], floats);
  const ints = attributes.ints('value_ints');
  return ints === undefined
    ? context.fail('no number', 'a tensor, number or list of numbers')
    : intVector(ints);
}

function constantOfShape(context: NodeContext): StaticTensor {
  const value = context.attributes.tensor('value');
  const shape = context.numbers(0) ?? [];
  context.spend(sizeOf(shape));
  const filling = value === undefined ? staticTensor('float32', [1], [0]) : readTensor(value);
  return tabulate(filling.dtype, shape, () => filling.data[0] ?? 0);
}

/** Ones on a diagonal, `k` above the main one, of a matrix of the input's shape. */
function eyeLike(context: NodeContext): StaticTensor {
  const { shape, dtype } = context.operand(0);
  if (shape.length !== 2) context.fail(`a tensor with ${shape.length} axes`, 'a matrix');
  context.spend(sizeOf(shape));
  const shift = context.attributes.int('k', 0);
  const type = context.attributes.has('dtype') ? dtypeAttribute(context, 'dtype', 1) : dtype;
  return tabulate(type, shape, ([row, column]) => (column! - row! === shift ? 1 : 0));
}

function shapeOf(context: NodeContext): StaticTensor {
  const shape = context.shape(0);
  const start = context.attributes.int('start', 0);
  return intVector(shape.slice(start, context.attributes.int('end', shape.length)));
}

function range(context: NodeContext): StaticTensor {
  const [start, limit, step] = [0, 1, 2].map((index) => context.number(index, 0)) as [number, number, number];
  const count = Math.max(0, Math.ceil((limit - start) / step));
  if (!Number.isFinite(count)) context.fail(`step ${step}`, 'a step that reaches the limit');
  context.spend(count);
  return tabulate(context.operand(0).dtype, [count], ([k]) => start + k! * step);
}

/** Operators whose result is known when a model is read. */
export const constants: TranslationTable = {
  Constant: constant,
  ConstantOfShape: constantOfShape,
  EyeLike: eyeLike,
  Shape: shapeOf,
  Size: (context) => staticTensor('int64', [], [sizeOf(context.shape(0))]),
  Range: range,
};
