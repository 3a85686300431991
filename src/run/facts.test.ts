import { describe, expect, it } from 'vitest';
import { smallManifest } from '../../test/support/run-folder.js';
import { formatVersion, parseManifest } from '../format/manifest.js';
import { factsOf, frozenLayersOf, heldConstantOf } from './facts.js';

const small = smallManifest(3);
const hash = (letter: string) => letter.repeat(64);

function facts(change: Partial<typeof small>): Record<string, string> {
  const manifest = parseManifest({ format: 'lossledger', formatVersion, ...small, ...change }, 'the test');
  return Object.fromEntries(factsOf(manifest));
}

describe('what defines a run, in words', () => {
  it('names every training setting that is used, and no other', () => {
    const config = {
      optimizer: 'adam', learningRate: 0.1, momentum: null, weightDecay: 0, clipNorm: 2, batchSize: 5,
      schedule: { kind: 'step', every: 2, factor: 0.5 }, groups: [], init: null,
    }; // prettier-ignore
    expect(facts({ config })['Training']).toBe(
      '3 iterations; optimizer adam, learningRate 0.1, clipNorm 2, schedule {"kind":"step","every":2,"factor":0.5}, batchSize 5; seed 1',
    );
    expect(facts({ config: { ...config, momentum: 0 } })['Training']).toContain('momentum 0,');
    const groups = [{ match: 'fc2.*', frozen: true }];
    expect(facts({ config: { ...config, groups } })['Training']).toContain(
      'groups [{"match":"fc2.*","frozen":true}]',
    );
  });

  it('tells data of one name and size apart', () => {
    const dataOf = (letter: string) => ({
      ...small.definition,
      files: [{ name: 'x.npz', sha256: hash(letter) }],
    });
    expect(facts({ definition: dataOf('a') })).not.toEqual(facts({ definition: dataOf('b') }));
    const scaled = { ...small.definition, scaling: { divisor: 255, mean: [0.1], std: [0.3] } };
    expect(facts({ definition: scaled })['Data']).toBe(
      'made: 100 train, 20 mine examples; measured: train, mine; inputs divided by 255; each channel with mean 0 and variance 1',
    );
  });

  it('names the files of a trajectory from elsewhere instead of training', () => {
    const trajectory = {
      ...small.trajectory,
      files: [{ name: 't.npz', sha256: hash('c') }],
      batchSize: null,
    };
    expect(facts({ trajectory })).toMatchObject({ Trajectory: '3 steps from t.npz cccccccccccc' });
    expect(facts({ trajectory })).not.toHaveProperty('Training');
    const apart = { ...trajectory, iteration: [100, 101, 104, 200] };
    expect(facts({ trajectory: apart })['Trajectory']).toMatch(
      /^3 segments of the iterations 100 to 200 from t/,
    );
  });

  it('names what was held constant: frozen by groups, running statistics', () => {
    const whole = { format: 'lossledger', formatVersion, ...small };
    expect(heldConstantOf(parseManifest(whole, 'the test'))).toEqual([]);
    const [first, second] = small.parameters.map(({ name }) => name);
    const changed = {
      ...whole,
      config: {
        groups: [
          { match: first!, frozen: true },
          { match: second!, frozenFrom: 7 },
        ],
      },
      definition: { ...small.definition, batchNorm: 'running' },
    };
    expect(heldConstantOf(parseManifest(changed, 'the test'))).toEqual([
      `Frozen by groups: ${first!}, ${second!} from iteration 7 on`,
      'Mean and variance of batch normalisation: the running statistics in the model file, in all iterations',
    ]);
    expect(frozenLayersOf(parseManifest(changed, 'the test'))).toEqual([]);
    const { layer } = small.parameters[0]!;
    const all = small.parameters.filter((tensor) => tensor.layer === layer).map(({ name }) => ({ match: name, frozen: true })); // prettier-ignore
    expect(frozenLayersOf(parseManifest({ ...whole, config: { groups: all } }, 'the test'))).toEqual([layer]);
  });
});
