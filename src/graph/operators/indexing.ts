import type { Application } from '../application.js';
import { inputOf, misfit } from '../application.js';
import { axisAttribute, intsAttribute } from '../attributes.js';
import type { Shape, Value } from '../types.js';
import type { Entry, TensorType } from './define.js';
import { float, floatInputOf, operator } from './define.js';

function indicesInput(node: Application): Value {
  const indices = inputOf(node, 1);
  if (indices.dtype !== 'int32' && indices.dtype !== 'int64') {
    throw misfit(node, 'int32 or int64 indices as input 1', 'add a Cast');
  }
  return indices;
}

function gatheredShape(data: Shape, indices: Shape, axis: number): Shape {
  return [...data.slice(0, axis), ...indices, ...data.slice(axis + 1)];
}

function gather(node: Application): TensorType[] {
  const { dtype, shape } = inputOf(node, 0);
  const axis = axisAttribute(node, shape.length, 0);
  return [{ dtype, shape: gatheredShape(shape, indicesInput(node).shape, axis) }];
}

function gatherGradient(node: Application): TensorType[] {
  const data = intsAttribute(node, 'input_shape');
  const axis = axisAttribute(node, data.length, 0);
  floatInputOf(node, 0, gatheredShape(data, indicesInput(node).shape, axis));
  return [float(data)];
}

/** Operators that look elements up by index. */
export const indexing: readonly Entry[] = [
  operator('Gather', [2, 2], ['axis'], gather),
  operator('GatherGrad', [2, 2], ['axis', 'input_shape'], gatherGradient),
];
