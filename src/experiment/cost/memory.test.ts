import { describe, expect, it } from 'vitest';
import { engineNamed } from '../../engines/registry.js';
import { checkConfig } from '../config/file.js';
import { openExperiment } from '../experiment.js';
import { gradientGraph } from '../graphs.js';
import { estimateMemory, requireMemory } from './memory.js';

const experiment = await openExperiment(
  checkConfig({ subset: 500, chunk: 200, batchSize: 50, engine: 'reference' }, 'the test'),
);

describe('memory', () => {
  it('is planned by the engine for each chunk size, and grows with workers, lanes and θ', async () => {
    const planned = async (sizes: readonly number[]) => {
      const engine = await engineNamed('reference');
      return sizes.reduce((total, size) => total + engine.plan(gradientGraph(experiment, size, false)).memory, 0);
    };
    const [small, large] = [estimateMemory(experiment, 1, 100), estimateMemory(experiment, 1)];
    // 500 training and 46 validation examples in chunks of 100, and of 200
    expect(large.worker - small.worker).toBe(await planned([200, 100, 46]) - await planned([100, 46]));
    const lanes = 3 + 1;
    const shared = 3 * 8 * (lanes + 1) * experiment.layout.size + 3 * 8 * lanes;
    expect(large.total - large.worker).toBe(shared);
    expect(estimateMemory(experiment, 4).total).toBe(4 * large.worker + shared);
  });

  it('refuses a chunk that does not fit, with a largest one that does', () => {
    const available = estimateMemory(experiment, 2, 150).total;
    const named = chunkNamed(() => { requireMemory(experiment, 2, available); });
    expect(estimateMemory(experiment, 2, named).total).toBeLessThanOrEqual(available);
    expect(estimateMemory(experiment, 2, named + 1).total).toBeGreaterThan(available);
    expect(named).toBeGreaterThanOrEqual(150);
    expect(() => { requireMemory(experiment, 2, 1000); }).toThrow(/fewer workers/);
    requireMemory(experiment, 2, estimateMemory(experiment, 2).total);
  });
}); // prettier-ignore

/** The chunk that a refusal of chunk 200 on 2 workers suggests. */
function chunkNamed(refused: () => void): number {
  try {
    refused();
  } catch (error) {
    return Number(/chunk 200 on 2 workers[^]*set chunk to (\d+), or/.exec(String(error))![1]);
  }
  return NaN;
}
