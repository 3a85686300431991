import type { Application } from '../application.js';
import { misfit } from '../application.js';
import { intsAttribute } from '../attributes.js';
import type { Pooling } from '../windows.js';
import { poolingOf } from '../windows.js';
import type { Shape } from '../types.js';
import type { Entry, TensorType } from './define.js';
import { float, floatInput, floatInputOf, operator } from './define.js';

function pooledShape(pooling: Pooling): Shape {
  return [pooling.examples, pooling.channels, ...pooling.output];
}

function pool(node: Application): TensorType[] {
  floatInput(node, 0);
  return [float(pooledShape(poolingOf(node)))];
}

function maxPoolGradient(node: Application): TensorType[] {
  const shape = pooledShape(poolingOf(node));
  floatInputOf(node, 0, shape);
  floatInputOf(node, 2, shape);
  return [float(floatInput(node, 1).shape)];
}

function averagePoolGradient(node: Application): TensorType[] {
  floatInputOf(node, 0, pooledShape(poolingOf(node)));
  return [float(intsAttribute(node, 'input_shape'))];
}

function globalAveragePool(node: Application): TensorType[] {
  const { shape } = floatInput(node, 0);
  if (shape.length < 3) throw misfit(node, 'x [N, C, …] with one or more spatial axes');
  return [float(shape.map((extent, axis) => (axis < 2 ? extent : 1)))];
}

const windowed = ['kernel_shape', 'strides', 'pads', 'dilations', 'ceil_mode'];
const averaging = [...windowed, 'count_include_pad'];

/** Pooling, and its gradients. */
export const pools: readonly Entry[] = [
  operator('MaxPool', [1, 1], windowed, pool),
  operator('MaxPoolGrad', [3, 3], windowed, maxPoolGradient),
  operator('AveragePool', [1, 1], averaging, pool),
  operator('AveragePoolGrad', [1, 1], [...averaging, 'input_shape'], averagePoolGradient),
  operator('GlobalAveragePool', [1, 1], [], globalAveragePool),
];
