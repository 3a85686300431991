import { describe, expect, it } from 'vitest';
import { paperRecord } from '../../analysis/paper.js';
import { UsageError } from '../../errors.js';
import { checkConfig, presetConfig, resolveConfig, statedConfig } from './file.js';
import { presets } from './presets.js';
import type { RunConfigInput } from './schema.js';

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

  it('trains as long as the paper where its numbers are set beside a preset', () => {
    const compared = presets.filter(({ name }) => paperRecord(name) !== null);
    expect(compared).toHaveLength(9);
    for (const { name, config } of compared) expect(config.iterations).toBe(paperRecord(name)!.iterations);
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
    [{ measure: [1] }, /measure/],
    [{ seed: 1.5 }, /seed/],
    [{ groups: [{ match: 'fc1.*', frozn: true }] }, /groups/],
    [{ schedule: { kind: 'linear' } }, /schedule/],
  ])('refuses %j', (input, message) => {
    expect(() => checkConfig(input, 'a file')).toThrow(message);
    expect(() => checkConfig(input, 'a file')).toThrow(UsageError);
  });

  it.each([
    [{ learningRate: '0.1' }, 'learningRate: "0.1" in a file\n  expected: a number\n'],
    [{ iterations: 1e99 }, 'iterations: 1e+99 in a file\n  expected: a number at most 16777216\n'],
    [{ iterations: 1.5 }, 'iterations: 1.5 in a file\n  expected: a whole number\n'],
    [{ tolerance: 0 }, 'tolerance: 0 in a file\n  expected: a number above 0\n'],
    [{ rule: 'simson' }, 'rule: "simson" in a file\n  expected: one of left, right, midpoint, trapezoid, simpson, boole, gauss2, gauss3, kronrod7, adaptive\n  to do:    did you mean simpson?'],
    [{ keep: 'all' }, 'keep: "all" in a file\n  expected: one of parameters, neurons, layers\n  to do:    correct keep (finest'],
    [{ measure: [] }, 'measure: [] in a file\n  expected: at least 1 entry\n'],
    [{ process: ' ' }, 'process: " " in a file\n  expected: text of at least 1 character\n'],
    [{ name: 'a'.repeat(201) }, '  expected: text of at most 200 characters\n'],
    [{ measure: ['train', 'train'] }, 'expected: each set once\n'],
    [{ groups: [{ match: 'a', learningrate: 1 }] }, 'unknown key "learningrate" of groups[0] in a file\n  expected: one of match, learningRate, learningRateFactor, momentum, delay, weightDecay, frozen, frozenFrom\n  to do:    did you mean learningRate? If not, leave learningrate out'],
    [{ groups: [{ momentum: 0.5 }] }, 'groups[0].match, which is missing, in a file\n  expected: text or a list\n'],
    [{ schedule: { kind: 'cosin' } }, 'schedule.kind: "cosin" in a file\n  expected: one of constant, step, linear, cosine\n  to do:    did you mean cosine?'],
    [{ schedule: { kind: 'step', every: 2, factr: 1 } }, 'schedule.factor, which is missing, in a file\n  expected: a number\n'],
    [{ schedule: { kind: 'step', every: 2, factor: 1, floor: 1 } }, 'unknown key "floor" of schedule in a file\n  expected: one of kind, every, factor, warmUp\n'],
  ])('says what is wrong with %j', (input, text) => {
    expect(() => checkConfig(input, 'a file')).toThrow(text);
  });

  it.each([
    [{ epsilon: 1e-8 }, 'epsilon 1e-8 in the command line with optimizer sgd, where it has no effect\n  expected: one of the optimizers adam, rmsprop, adamw, muon\n  to do:    state that too, or leave out epsilon'],
    [{ beta2: 0.9 }, 'beta2 0.9 in the command line with optimizer sgd'],
    [{ optimizer: 'lion', epsilon: 1e-8 }, 'with optimizer lion'],
    [{ keepParts: 'parameters' }, 'keepParts parameters in the command line without parts'],
    [{ error: 0.1 }, 'error 0.1 in the command line without sample'],
    [{ sample: 1000, error: 0.1 }, 'with sample 1000'],
    [{ names: ['a=b'] }, 'names a=b in the command line without trajectory'],
    [{ rest: 'frozen' }, 'rest frozen in the command line without trajectory'],
    [{ processTimeout: 5 }, 'processTimeout 5 in the command line without process'],
  ] as const)('refuses %j, which would change nothing', async (flags, text) => {
    const stated = flags as RunConfigInput;
    await expect(resolveConfig({ from: 'mnist-fc-sgd', flags: stated })).rejects.toThrow(text);
    expect(() => statedConfig(stated)).toThrow(text);
    expect(() => statedConfig(stated)).toThrow(UsageError);
  });

  it('takes what has an effect, and the usual value of what has none', () => {
    const whole = checkConfig({}, 'nothing');
    expect(statedConfig(whole as RunConfigInput)).toEqual(whole);
    const stated = { optimizer: 'adam', beta2: 0.99, epsilon: 1e-7, parts: ['class'], keepParts: 'parameters', sample: 'auto', error: '2%', certify: '99%' } as const;
    expect(statedConfig(stated)).toMatchObject({ beta2: 0.99, error: 0.02, certify: 0.99 });
  });

  it('takes a day as it is stated, and today for the day on which it is read', () => {
    expect(checkConfig({ date: '2026-02-28' }, 'flags').date).toBe('2026-02-28');
    expect(checkConfig({ date: 'none' }, 'flags').date).toBeNull();
    expect(checkConfig({ date: 'today' }, 'flags').date).toMatch(/^20\d\d-[01]\d-[0-3]\d$/);
    expect(() => checkConfig({ date: '2026-02-30' }, 'flags')).toThrow(
      'date: "2026-02-30" in flags\n  expected: a day such as 2026-11-25, or today\n',
    );
  });

  it('names the nearest preset', () => {
    expect(() => presetConfig('mnist-fc-adan')).toThrow(/mnist-fc-adam\?/);
  });
}); // prettier-ignore
