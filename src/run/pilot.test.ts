import { describe, expect, it } from 'vitest';
import { checkConfig } from '../experiment/config/file.js';
import { sizeFor, sizeSample } from './pilot.js';

describe('the size of a sample', () => {
  it('makes errors as small as is asked, by the law of square roots with a finite set', () => {
    const count = 55_000;
    const errorAt = (size: number) => Math.sqrt(1 / size - 1 / count);
    for (const wanted of [0.01, 0.02, 0.05]) {
      const error = 0.08;
      const size = sizeFor(error, wanted, count);
      const scaled = (error * errorAt(size)) / errorAt(1600);
      expect(scaled).toBeLessThanOrEqual(wanted * (1 + 1e-12));
      expect((error * errorAt(size - 256)) / errorAt(1600)).toBeGreaterThan(wanted);
    }
  });

  it('is never less than the pilot, nor more than there is', () => {
    expect(sizeFor(0.01, 0.05, 55_000)).toBeLessThan(1600 + 256);
    expect(sizeFor(0.5, 0.0001, 55_000)).toBe(55_000);
  });

  it('leaves a stated number alone', async () => {
    const config = checkConfig({ sample: 500 }, 'the test');
    expect(await sizeSample(config)).toEqual({ config, note: null });
  });
});
