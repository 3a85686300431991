import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../data/types.js';
import { plainLabelling } from '../../data/types.js';
import type { Model } from '../../models/types.js';
import { checkConfig } from '../config/file.js';
import { lossReadings } from './doubts.js';

/** What is said of a loss of two examples [1, 2, 2] with these labels, each but for its evidence. */
function saidOf(settings: object, labels: Int32Array | Float32Array, divisor: number, outputShape = [1, 2, 2]): string {
  const train = { count: 2, shape: [1, 2, 2], inputs: new Uint8Array(8), labels };
  const dataset = { splits: { train }, labelling: plainLabelling, transform: { divisor } } as unknown as Dataset;
  const model = { outputShape } as unknown as Model;
  return lossReadings(checkConfig(settings, 'the test'), model, dataset).map(({ decision }) => decision).join();
} // prettier-ignore

describe('losses of recorded trainings', () => {
  it('with class weights that are divided by the number of labels are said to be other than PyTorch’s', () => {
    const [labels, weights] = [Int32Array.of(0, 1), { classWeights: [0.5, 2] }];
    expect(saidOf(weights, labels, 1, [2])).toMatch(
      /number of labels, 2; .* weights, 2\.5: --reduction weightedMean/,
    );
    expect(saidOf({ ...weights, reduction: 'weightedMean' }, labels, 1, [2])).toBe('');
    expect(saidOf({ classWeights: [0.5, 1.5] }, labels, 1, [2])).toBe('');
  });

  it('of images against pixels that are not divided as the inputs are, are said', () => {
    const [squared, pixels] = [{ loss: 'squaredError' }, Int32Array.of(0, 9, 200, 255, 1, 2, 3, 4)];
    expect(saidOf(squared, pixels, 255)).toMatch(/as they are, though inputs are divided by 255; .*y \/ 255/);
    expect(saidOf({ ...squared, divisor: 1 }, pixels, 255)).toBe('');
    expect(saidOf(squared, pixels, 1)).toBe('');
    expect(
      saidOf(
        squared,
        Float32Array.from(pixels, (pixel) => pixel / 255),
        255,
      ),
    ).toBe('');
    expect(saidOf(squared, Int32Array.of(18, 99), 255, [1])).toBe('');
  });
});
