import type { Application } from '../application.js';
import { misfit } from '../application.js';
import { axisAttribute, intAttribute, numberAttribute } from '../attributes.js';
import type { Shape, Value } from '../types.js';
import type { Entry, TensorType } from './define.js';
import { checkOptional, float, floatInput, floatInputOf, operator } from './define.js';

/** Shapes that belong to a normalisation of one input. */
interface Statistics {
  /** Of scale and bias. */
  readonly affine: Shape;
  /** Of the mean and the inverse standard deviation. */
  readonly moments: Shape;
}

type StatisticsRule = (node: Application, x: Value) => Statistics;

function imageInput(node: Application, index: number): Value {
  const x = floatInput(node, index);
  if (x.shape.length < 2) throw misfit(node, `x [N, C, …] as input ${index}`);
  return x;
}

const batch: StatisticsRule = (_, x) => ({ affine: [x.shape[1]!], moments: [x.shape[1]!] });
const instance: StatisticsRule = (_, x) => ({ affine: [x.shape[1]!], moments: [x.shape[0]!, x.shape[1]!] });

const group: StatisticsRule = (node, x) => {
  const groups = intAttribute(node, 'num_groups');
  if (groups < 1 || x.shape[1]! % groups !== 0) throw misfit(node, 'num_groups that divides the channels');
  return { affine: [x.shape[1]!], moments: [x.shape[0]!, groups] };
};

const layer: StatisticsRule = (node, x) => {
  const axis = axisAttribute(node, x.shape.length, -1);
  return { affine: x.shape.slice(axis), moments: x.shape.map((extent, k) => (k < axis ? extent : 1)) };
};

function forward(rule: StatisticsRule): (node: Application) => TensorType[] {
  return (node) => {
    numberAttribute(node, 'epsilon', 0);
    const x = rule === layer ? floatInput(node, 0) : imageInput(node, 0);
    const { affine, moments } = rule(node, x);
    floatInputOf(node, 1, affine);
    checkOptional(node, 2, affine);
    return [float(x.shape), float(moments), float(moments)];
  };
}

function gradient(rule: StatisticsRule): (node: Application) => TensorType[] {
  return (node) => {
    const x = rule === layer ? floatInput(node, 1) : imageInput(node, 1);
    floatInputOf(node, 0, x.shape);
    const { affine, moments } = rule(node, x);
    floatInputOf(node, 2, affine);
    for (const index of [3, 4]) floatInputOf(node, index, moments);
    return [float(x.shape), float(affine), float(affine)];
  };
}

function withGivenStatistics(node: Application): TensorType[] {
  numberAttribute(node, 'epsilon', 0);
  const x = imageInput(node, 0);
  for (const index of [1, 2, 3, 4]) floatInputOf(node, index, [x.shape[1]!]);
  return [float(x.shape)];
}

/** Normalisations. Those that compute statistics return them for their gradients. */
export const normalizations: readonly Entry[] = [
  operator('BatchNormalization', [5, 5], ['epsilon'], withGivenStatistics),
  operator('BatchNormTraining', [3, 3], ['epsilon'], forward(batch)),
  operator('LayerNormalization', [2, 3], ['axis', 'epsilon'], forward(layer)),
  operator('InstanceNormalization', [3, 3], ['epsilon'], forward(instance)),
  operator('GroupNormalization', [3, 3], ['num_groups', 'epsilon'], forward(group)),
  operator('BatchNormGrad', [5, 5], ['epsilon'], gradient(batch)),
  operator('LayerNormGrad', [5, 5], ['axis', 'epsilon'], gradient(layer)),
  operator('InstanceNormGrad', [5, 5], ['epsilon'], gradient(instance)),
  operator('GroupNormGrad', [5, 5], ['num_groups', 'epsilon'], gradient(group)),
];
