import { describe, expect, it } from 'vitest';
import { standardErrors } from './sampling.js';

describe('standard errors', () => {
  // Three values of one example each, of thirty: √((1 − 3/30) · 3/2 · Σ (c − mean)²), as for a sum of three independent values.
  const expected = Math.sqrt(0.9 * 1.5 * (1 + 0 + 1));

  it('are those of independent examples where each block has one', () => {
    const sample = { from: 30, members: [0, 1, 2], examples: [1, 1, 1] };
    expect(standardErrors(Float64Array.of(1, 2, 3), 1, sample)[0]).toBeCloseTo(expected, 14);
  });

  it('of a rare class are by the blocks that have examples of it, and unknown from a single one', () => {
    const rare = { from: 30, members: [0, 1, 2, 3, 4], examples: [1, 0, 1, 0, 1] };
    expect(standardErrors(Float64Array.of(1, 0, 2, 0, 3), 1, rare)[0]).toBeCloseTo(expected, 14);
    const single = { from: 30, members: [0, 1, 2], examples: [0, 2, 0] };
    expect(standardErrors(Float64Array.of(0, 5, 0), 1, single)[0]).toBeNaN();
    expect(standardErrors(Float64Array.of(0, 5, 0), 1, { ...single, from: 2 })[0]).toBe(0);
  });
});
