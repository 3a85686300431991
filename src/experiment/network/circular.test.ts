import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../graph/builder.js';
import { circularReadings } from './circular.js';

/** A network that puts the numbers from `start` to `end` of eight in front of them. */
function padded(start: number, end: number) {
  const builder = new GraphBuilder('padded');
  const x = builder.input('x', 'float32', [2, 3, 8]);
  const front = builder.apply('Slice', [x], { starts: [start], ends: [end], axes: [2] });
  return builder.build([builder.apply('Concat', [front, x], { axis: 2 })]);
}

describe('circular padding', () => {
  it('is warned of where it leaves out the last number, as PyTorch 1.13 writes it', () => {
    expect(circularReadings(padded(-3, -1))).toMatchObject([{ about: 'circular padding', warning: true }]);
    expect(circularReadings(padded(-2, -1))).toHaveLength(1);
  });

  it('is taken for what it is where it does not', () => {
    expect(circularReadings(padded(-2, 8))).toEqual([]);
    expect(circularReadings(padded(0, 2))).toEqual([]);
  });
});
