import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../data/types.js';
import { GraphBuilder } from '../../graph/builder.js';
import type { Model } from '../../models/types.js';
import { requireLookups } from './lookups.js';

/** Three numbers an example name rows of a table of five; where `step` is given, `step` times each, less one, names elements of all ten. */
function modelOf(step?: number): Model {
  return {
    name: 'small',
    inputShape: [3],
    outputs: 2,
    build: ({ examples }: { readonly examples: number }) => {
      const builder = new GraphBuilder('small');
      const x = builder.input('x', 'int32', [examples, 3]);
      const number = (value: number) => builder.scalar(value, 'int32');
      const table = builder.parameter('table', [5, 2], { initializer: { kind: 'zeros' }, layer: 'table', neuronAxis: null });
      const rows = builder.apply('Gather', [table, builder.apply('Reshape', [x], { shape: [examples * 3] })], { axis: 0 });
      if (step === undefined) return builder.build([rows]);
      const places = builder.apply('Sub', [builder.apply('Mul', [x, number(step)]), number(1)]);
      const flat = builder.apply('Reshape', [table], { shape: [10] });
      return builder.build([builder.apply('Gather', [flat, places], { axis: 0 })]);
    },
  };
} // prettier-ignore

/** A data set of 300 examples whose numbers are all 1 but for one. */
function dataset(example: number, value: number): Dataset {
  const inputs = new Int32Array(900).fill(1);
  inputs[example * 3 + 1] = value;
  const examples = { inputs, labels: new Int32Array(300), count: 300, shape: [3] };
  return { name: 'made', splits: { train: { ...examples, inputs: inputs.slice().fill(4) }, validation: examples }, transform: { dtype: 'int32', divisor: 1, mean: [], std: [] } } as unknown as Dataset;
} // prettier-ignore

describe('numbers that are looked up', () => {
  it.each([5, -1, 9999])('%i names none of five rows', (value) => {
    expect(() => { requireLookups(modelOf(), dataset(299, value)); }).toThrow(
      new RegExp(`the number ${value} in example 299 of validation`),
    );
  }); // prettier-ignore

  it('are looked at by no larger a graph than a chunk, and than there are examples', () => {
    const sizes: number[] = [];
    const model = modelOf();
    const noting: Model = {
      ...model,
      build: (options) => {
        sizes.push(options.examples);
        return model.build(options);
      },
    };
    expect(() => { requireLookups(noting, dataset(299, 5), 64); }).toThrow(/example 299 of validation/);
    expect(Math.max(...sizes)).toBe(64);
    const { splits, ...rest } = dataset(7, 1);
    const few = { ...splits.train, inputs: splits.train.inputs.slice(0, 36), labels: splits.train.labels.slice(0, 12), count: 12 };
    sizes.length = 0;
    requireLookups(noting, { ...rest, splits: { train: few, validation: few } });
    expect(Math.max(...sizes)).toBe(12);
  }); // prettier-ignore

  it.each([0, 4])('%i names one', (value) => {
    expect(() => { requireLookups(modelOf(), dataset(7, value)); }).not.toThrow();
  }); // prettier-ignore

  it('may count from the end where they are computed, but not before the start', () => {
    expect(() => { requireLookups(modelOf(2), dataset(7, 0)); }).not.toThrow();
    expect(() => { requireLookups(modelOf(2), dataset(7, 6)); }).toThrow(/a number in example 7 of validation/);
    expect(() => { requireLookups(modelOf(2), dataset(7, -5)); }).toThrow(/a number in example 7 of validation/);
  }); // prettier-ignore
});
