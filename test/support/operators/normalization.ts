import fc from 'fast-check';
import type { Attributes } from '../../../src/graph/types.js';
import type { Specs, Table } from './spec.js';
import { application, extent, parameter, shapes } from './spec.js';

/** [N, C, …] with enough elements for a variance; `distinct` numbers keep it away from 0. */
const images = fc
  .tuple(fc.integer({ min: 2, max: 3 }), fc.integer({ min: 1, max: 2 }), shapes(1, 2))
  .map(([n, c, spatial]) => [n, 2 * c, ...spatial, 2]);

const epsilon = fc.constantFrom(1e-5, 1e-3);

function withStatistics(attributes: (shape: number[]) => Attributes = () => ({})): Specs[] {
  return [
    fc.tuple(images, epsilon).map(([shape, eps]) => ({
      inputs: [parameter(shape, 'distinct'), parameter([shape[1]!]), parameter([shape[1]!])],
      attributes: { epsilon: eps, ...attributes(shape) },
      outputs: 1,
    })),
  ];
}

const layerNormalization: Specs = fc
  .tuple(images, fc.integer({ min: -2, max: 1 }), fc.boolean())
  .map(([shape, axis, bias]) => {
    const affine = shape.slice(axis);
    return {
      inputs: [parameter(shape, 'distinct'), parameter(affine), bias ? parameter(affine) : null],
      attributes: { axis },
      outputs: 1,
    };
  });

const batchNormalization: Specs = images.map((shape) => {
  const channel = [shape[1]!];
  const inputs = [
    parameter(shape),
    parameter(channel),
    parameter(channel),
    parameter(channel),
    parameter(channel, 'positive'),
  ];
  return application(inputs, { epsilon: 1e-3 });
});

const crossEntropy: Specs = fc
  .record({
    n: extent,
    c: fc.integer({ min: 2, max: 4 }),
    weights: fc.boolean(),
    reduction: fc.constantFrom('mean', 'sum'),
    label_smoothing: fc.constantFrom(0, 0.25),
  })
  .map(({ n, c, weights, ...attributes }) =>
    application(
      [
        parameter([n, c]),
        { shape: [n], dtype: 'int32', below: c },
        ...(weights ? [{ shape: [c], domain: 'positive' as const, constant: true }] : []),
      ],
      attributes,
    ),
  );

export const normalization: Table = {
  BatchNormalization: [batchNormalization],
  BatchNormTraining: withStatistics(),
  LayerNormalization: [layerNormalization],
  InstanceNormalization: withStatistics(),
  GroupNormalization: withStatistics((shape) => ({ num_groups: shape[1]! / 2 })),
  SoftmaxCrossEntropyLoss: [crossEntropy],
};
