import { sum } from '../num/sums.js';
import type { Examples, InputTransform } from './types.js';

/**
 * The transform with mean and standard deviation of each channel (axis 0 of an example) over `examples`, taken after the division,
 * so that inputs get mean 0 and variance 1. A constant channel is only centred.
 */
export function standardised({ inputs, shape, count }: Examples, transform: InputTransform): InputTransform {
  const channels = shape[0] ?? 1;
  const plane = inputs.length / Math.max(1, count * channels);
  const moments = Array.from({ length: channels }, (_, channel) => {
    const means = new Float64Array(count);
    const squares = new Float64Array(count);
    const each = (visit: (value: number, example: number) => void) => {
      for (let example = 0; example < count; example++) {
        const start = (example * channels + channel) * plane;
        for (let i = start; i < start + plane; i++) visit(inputs[i]! / transform.divisor, example);
      }
    };
    each((value, example) => (means[example]! += value));
    const mean = sum(means) / (count * plane);
    each((value, example) => (squares[example]! += (value - mean) ** 2));
    return { mean, std: Math.sqrt(sum(squares) / (count * plane)) };
  });
  return {
    ...transform,
    mean: moments.map(({ mean }) => mean),
    std: moments.map(({ std }) => (std > 0 ? std : 1)),
  };
}
