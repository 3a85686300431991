import { describe, expect, it } from 'vitest';
import { UsageError } from '../errors.js';
import { checkConfig, presetConfig, resolveConfig } from './config-file.js';
import { presets } from './presets.js';

describe('configuration', () => {
  it('has defaults for everything', () => {
    const config = checkConfig({}, 'nothing');
    expect(config).toMatchObject({ rule: 'simpson', tolerance: 0.001, maxSubintervals: 32, batchSize: 250 });
    expect(checkConfig(JSON.parse(JSON.stringify(config)), 'itself')).toEqual(config);
  });

  it('resolves every preset, flags on top', async () => {
    for (const { name, config } of presets) {
      const resolved = await resolveConfig({ from: name, flags: { iterations: 3 } });
      expect(resolved).toMatchObject({ ...config, preset: name, iterations: 3 });
    }
  });

  it('reads none as no limit', () => {
    expect(checkConfig({ tolerance: 'none', subset: 'none' }, 'flags')).toMatchObject({ tolerance: null, subset: null });
  });

  it.each([
    [{ learningRat: 1 }, /learningRat"[^]*learningRate\?/],
    [{ learningRate: Number.NaN }, /learningRate/],
    [{ tolerance: 0 }, /tolerance/],
    [{ momentum: 1 }, /momentum/],
    [{ subintervals: 8, maxSubintervals: 4 }, /subintervals 8/],
    [{ splits: ['training'] }, /splits/],
    [{ seed: 1.5 }, /seed/],
    [{ groups: [{ match: 'fc1.*', frozn: true }] }, /groups/],
    [{ schedule: { kind: 'linear' } }, /schedule/],
  ])('refuses %j', (input, message) => {
    expect(() => checkConfig(input, 'a file')).toThrow(message);
    expect(() => checkConfig(input, 'a file')).toThrow(UsageError);
  });

  it('names the nearest preset', () => {
    expect(() => presetConfig('mnist-fc-adan')).toThrow(/mnist-fc-adam\?/);
  });
}); // prettier-ignore
