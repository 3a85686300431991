import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../graph/builder.js';
import { checkConfig } from './config/file.js';
import { openExperiment } from './experiment.js';
import { estimateMemory, peakBytes, requireMemory } from './memory.js';

const experiment = await openExperiment(
  checkConfig({ subset: 500, chunk: 200, batchSize: 50, engine: 'reference' }, 'the test'),
);

describe('memory', () => {
  it('counts what lives at once', () => {
    const builder = new GraphBuilder('chain');
    const x = builder.input('x', 'float32', [10, 4]);
    const a = builder.apply('Relu', [x]);
    const b = builder.apply('Relu', [a]);
    const c = builder.apply('Relu', [b]);
    expect(peakBytes(builder.build([c]))).toBe(2 * 160);
    expect(peakBytes(builder.build([builder.apply('Add', [a, c])]))).toBe(3 * 160);
    expect(peakBytes(builder.build([a, b, c]))).toBe(4 * 160);
  });

  it('of activations grows with the chunk, of sums with lanes and θ', () => {
    const [small, large] = [estimateMemory(experiment, 1, 100), estimateMemory(experiment, 1, 200)];
    const pixels = 8 * 100 * 784;
    expect(large.activations - small.activations).toBeGreaterThan(pixels);
    expect(large.activations - small.activations).toBeLessThan(6 * pixels);
    const lanes = 3 + 1; // 500 training examples in chunks of 200, and 46 validation examples
    const shared = 3 * 8 * (lanes + 1) * experiment.layout.size + 3 * 8 * lanes;
    expect(small.total - small.activations).toBe(shared);
    expect(estimateMemory(experiment, 4, 100).total).toBe(4 * small.activations + shared);
  });

  it('refuses a chunk that does not fit, with the largest that does', () => {
    const available = estimateMemory(experiment, 2, 150).total;
    expect(() => { requireMemory(experiment, 2, available); }).toThrow(/chunk 200 on 2 workers[^]*set chunk to 150 or less/);
    expect(() => { requireMemory(experiment, 2, 1000); }).toThrow(/fewer workers/);
    requireMemory(experiment, 2, estimateMemory(experiment, 2).total);
  });
}); // prettier-ignore
