import type { Application } from '../application.js';
import { inputOf } from '../application.js';
import { axesAttribute, axisAttribute, intAttribute } from '../attributes.js';
import { reducedShape } from '../shapes.js';
import type { Entry, TensorType } from './define.js';
import { float, floatInput, floatInputOf, operatorsOf } from './define.js';

function reduction(node: Application): TensorType[] {
  const { dtype, shape } = inputOf(node, 0);
  const keepdims = intAttribute(node, 'keepdims', 1) === 1;
  return [{ dtype, shape: reducedShape(shape, axesAttribute(node, shape.length), keepdims) }];
}

function softmax(node: Application): TensorType[] {
  const { shape } = floatInput(node, 0);
  axisAttribute(node, shape.length, -1);
  return [float(shape)];
}

function softmaxGradient(node: Application): TensorType[] {
  floatInputOf(node, 1, floatInput(node, 0).shape);
  return softmax(node);
}

/** Operators that reduce over axes, or normalise over one. */
export const reductions: readonly Entry[] = [
  ...operatorsOf(['ReduceSum', 'ReduceMean', 'ReduceMax'], [1, 1], ['axes', 'keepdims'], reduction),
  ...operatorsOf(['Softmax', 'LogSoftmax'], [1, 1], ['axis'], softmax),
  ...operatorsOf(['SoftmaxGrad', 'LogSoftmaxGrad'], [2, 2], ['axis'], softmaxGradient),
];
