import { describe, expect, it } from 'vitest';
import { UsageError } from '../errors.js';
import { fitLabels, type LabelUse } from './labels.js';
import { plainLabelling, type Examples, type RawDataset } from './types.js';

/** A data set of labels of that shape, whatever its inputs. */
function raw(labels: Examples['labels'], labelShape: readonly number[] = []): RawDataset {
  const count = labels.length / labelShape.reduce((a, b) => a * b, 1);
  return {
    name: 'data',
    classes: 0,
    pool: { count, shape: [1], inputs: new Float32Array(count), labels },
    sets: {},
    drawn: 0,
    files: [],
    transform: { dtype: 'float32', divisor: 1, mean: [], std: [] },
    labelShape,
    labelling: plainLabelling,
    readings: [],
  };
}

const classes = (outputShape: readonly number[], ignored: number | null = -100): LabelUse => ({
  kind: 'classes',
  outputShape,
  ignored,
});

function fitted(labels: Examples['labels'], shape: readonly number[], use: LabelUse) {
  const { pool, classes: count, labelling, readings } = fitLabels(raw(labels, shape), use);
  return {
    labels: [...pool.labels],
    count,
    ...labelling,
    said: readings.map(({ decision }) => decision).join('; '),
  };
}

describe('labels as classes', () => {
  it('are integers [N], of which nothing is said', () => {
    expect(fitted(Int32Array.of(0, 2, 1), [], classes([3]))).toEqual({
      labels: [0, 2, 1], count: 3, classAxis: 1, ignored: null, said: '',
    }); // prettier-ignore
  });

  it.each([
    ['a column', Int32Array.of(0, 2), [1], /\[N, 1\] read as classes/],
    ['whole floats', Float64Array.of(0, 2), [], /floats read as classes/],
    ['one-hot integers', Int32Array.of(1, 0, 0, 0, 0, 1), [3], /one-hot rows of 3/],
    ['one-hot floats', Float32Array.of(1, 0, 0, 0, 0, 1), [3], /one-hot rows of 3/],
  ])('may be %s, which is said', (_, labels, shape, said) => {
    const result = fitted(labels, shape, classes([3]));
    expect(result.labels).toEqual([0, 2]);
    expect(result.said).toMatch(said);
  });

  it('are warned of where none is of class 0, since they may count from 1', () => {
    const readings = (labels: Int32Array, shape: number[], use: LabelUse) => fitLabels(raw(labels, shape), use).readings;
    const [found] = readings(Int32Array.of(1, 2, 1), [], classes([3]));
    expect(found).toMatchObject({ evidence: 'the smallest is 1', warning: true });
    expect(readings(Int32Array.of(2, 0, 1), [], classes([3]))).toEqual([]);
    // Of tokens one may well occur nowhere.
    expect(readings(Int32Array.of(1, 2, 1, 2), [2], classes([2, 5]))).toEqual([]);
  }); // prettier-ignore

  it('stand for each position where the outputs have positions', () => {
    expect(fitted(Int32Array.of(0, 1, 2, 3), [2], classes([2, 5]))).toMatchObject({ classAxis: 2, count: 5 });
    expect(fitted(Int32Array.of(0, 1, 2, 3), [2], classes([5, 2]))).toMatchObject({ classAxis: 1, count: 5 });
    expect(() => fitted(Int32Array.of(0, 1, 1, 0), [2], classes([2, 2]))).toThrow(/axis 1 or the last/);
  });

  it('may be marked as not counting, by −100 or what is given', () => {
    const result = fitted(Int32Array.of(0, -100, 1), [], classes([2]));
    expect(result).toMatchObject({ labels: [0, 2, 1], ignored: 2 });
    expect(result.said).toMatch(/-100 count neither in the sum nor in the number/);
    expect(fitted(Int32Array.of(0, -1), [], classes([2], -1))).toMatchObject({ labels: [0, 2], ignored: 2 });
    expect(() => fitted(Int32Array.of(0, -1), [], classes([2]))).toThrow(/--ignore-label -1/);
    expect(() => fitted(Int32Array.of(0, -100), [], classes([2], null))).toThrow(/class -100/);
  });

  it('are refused with the loss of one output, and as fractions with no label that does not count', () => {
    const one = () => fitted(Int32Array.of(0, 1), [], classes([1]));
    expect(one).toThrow(/the only one[^]*--loss sigmoidCrossEntropy/);
    expect(() => fitted(Float32Array.of(-0.5, 1), [], classes([3]))).toThrow(/--loss squaredError/);
  });

  it('do not count where the class that is given marks them, such as that of padding', () => {
    const integers = fitted(Int32Array.of(0, 2, 1, 0), [], classes([3], 0));
    expect(integers).toMatchObject({ labels: [3, 2, 1, 3], ignored: 3 });
    expect(integers.said).toMatch(/labelled 0 count neither/);
    const oneHot = fitted(Int32Array.of(1, 0, 0, 0, 0, 1), [3], classes([3], 0));
    expect(oneHot).toMatchObject({ labels: [3, 2], ignored: 3 });
  });

  it.each([
    ['classes from 1', Int32Array.of(1, 2, 3), [], /subtract 1/],
    ['fractions', Float32Array.of(0.5, 1, 2), [], /class 0.5 of example 0/],
    ['soft labels', Float32Array.of(0.5, 0.5, 0, 0, 1, 0), [3], /not one-hot/],
    ['several classes an example', Int32Array.of(1, 1, 0, 0, 0, 1), [3], /sigmoidCrossEntropy/],
    ['another width', Int32Array.of(1, 1, 0, 0), [2], /classes \[N\] from 0 to 2, or one-hot \[N, 3\]/],
  ])('are refused where they are %s', (_, labels, shape, message) => {
    expect(() => fitted(labels, shape, classes([3]))).toThrow(message);
    expect(() => fitted(labels, shape, classes([3]))).toThrow(UsageError);
  });
});

describe('labels as targets', () => {
  const shares: LabelUse = { kind: 'shares', outputShape: [1], ignored: -100 };

  it('may be integers 0 and 1 for one output', () => {
    const result = fitted(Int32Array.of(0, 1), [], shares);
    expect(result).toMatchObject({ labels: [0, 1], count: 0 });
    expect(result.said).toMatch(/integers read as targets/);
  });

  it('are refused in another order of axes than the outputs, with what puts them right', () => {
    const image = new Float32Array(2 * 4 * 4 * 3);
    const numbers: LabelUse = { kind: 'numbers', outputShape: [3, 4, 4], ignored: -100 };
    expect(() => fitted(image, [4, 4, 3], numbers)).toThrow(/targets \[N, 4, 4, 3\]/);
    expect(() => fitted(image, [4, 4, 3], numbers)).toThrow(/y\.transpose\(0, 3, 1, 2\)/);
    expect(() => fitted(image, [48], { ...numbers, kind: 'shares' })).toThrow(/y\.reshape\(-1, 3, 4, 4\)/);
    expect(fitted(image, [3, 4, 4], numbers).labels).toHaveLength(96);
    expect(fitted(image, [48, 1], { ...numbers, outputShape: [1, 48] }).labels).toHaveLength(96);
  });

  it('are refused beyond 0 and 1 for sigmoid cross-entropy, and in another number than outputs', () => {
    expect(() => fitted(Int32Array.of(-1, 1), [], shares)).toThrow(/0 in place of −1/);
    expect(() => fitted(Int32Array.of(0, 2), [], { ...shares, outputShape: [3] })).toThrow(
      /1 targets an example/,
    );
    expect(fitted(Float64Array.of(-7, 9), [], { ...shares, kind: 'numbers' }).labels).toEqual([-7, 9]);
  });
});
