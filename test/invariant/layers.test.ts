import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NativeEngine } from '../../src/engines/native/index.js';
import { deviationsOf, problemsOf } from '../support/chunk-cases.js';
import { layers, winograd, type Layers } from '../support/operators/layers.js';

/** Of the largest component or 1, ten times that for the loss, whose terms cancel; the last chunk of a split may hold fewer examples than a vector. */
const bound = 2e-6;
/** Means of about 100 with a deviation of 1, in float32. */
const normalizationBound = 1e-5;
const chunks = [
  { examples: 19, networks: 6 },
  { examples: 3, networks: 4 },
];

const native = new NativeEngine();
const absence = await native.available();
if (!absence.ok) console.log(`skipped on native: ${absence.reason}`);

async function expectAgreement(make: Layers, examples: number, runs: number, limit: number): Promise<void> {
  const drawn = fc.sample(make(examples), { numRuns: runs, seed: examples });
  for (const problem of problemsOf(drawn, examples)) {
    const deviations = await deviationsOf(native, problem);
    expect(deviations.filter(({ of, size }) => !(size < (of === 'loss' ? 10 * limit : limit)))).toEqual([]);
  }
}

describe.skipIf(!absence.ok)('native layers of random shape agree with the reference engine', () => {
  describe.each(Object.entries(layers))('%s', (name, make) => {
    it.each(chunks)('$examples examples', async ({ examples, networks }) => {
      await expectAgreement(make, examples, networks, name.includes('norm') ? normalizationBound : bound);
    });
  });

  it('so do the products of Winograd, which are as exact as direct sums to within that bound', async () => {
    await expectAgreement(winograd, 19, 16, bound);
  });
});
