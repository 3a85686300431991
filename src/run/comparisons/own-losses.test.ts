import { describe, expect, it } from 'vitest';
import { smallManifest } from '../../../test/support/run-folder.js';
import { parseManifest, type ManifestContent } from '../../format/manifest.js';
import { readDifferences } from './own-losses.js';

const stored = (change: Partial<ManifestContent>) => ({
  folder: '/nowhere',
  manifest: parseManifest({ format: 'lossledger', formatVersion: 2, ...smallManifest(4), ...change }, 'test'),
});
const found = async (first: Partial<ManifestContent>, second: Partial<ManifestContent>) => {
  const { obstacles, notes } = await readDifferences([stored(first), stored(second)]);
  return [obstacles.map(({ about }) => about), notes.map(({ about }) => about)];
};
const reading = (about: string, decision: string) => ({ about, decision, evidence: 'the test' });
const own = (decision: string): Partial<ManifestContent> => ({
  config: { loss: 'output' },
  readings: [reading('loss', decision)],
});

describe('readDifferences', () => {
  it('finds nothing in which a run differs from itself', async () => {
    expect(await found(own('the mean'), own('the mean'))).toEqual([[], []]);
  });

  it('refuses losses of networks that are averaged otherwise', async () => {
    expect(await found(own('the mean'), own('the sum over the sum of weight'))).toEqual([
      ['the network’s own loss'],
      [],
    ]);
  });

  it('refuses losses of further inputs that are scaled otherwise', async () => {
    const scaled = (by: number) => ({ readings: [reading('scaling of inputs second', `divided by ${by}`)] });
    expect(await found(scaled(255), scaled(1))).toEqual([['scaling of further inputs'], []]);
  });

  it('says where programs compute the losses, and which', async () => {
    const by = (process: string) => ({ config: { process } });
    expect(await found(by('python one.py'), by('python other.py'))).toEqual([[], ['objective process']]);
  });
});
