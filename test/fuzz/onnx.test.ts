import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { differentiate } from '../../src/autodiff/index.js';
import { onnxruntimeEngine } from '../../src/engines/onnxruntime/index.js';
import { attachLoss } from '../../src/graph/loss.js';
import type { Graph } from '../../src/graph/types.js';
import { peakBytes } from '../../src/engines/liveness.js';
import { inspectNetwork } from '../../src/experiment/network/onnx-file.js';
import { openNetwork } from '../../src/experiment/network/network.js';
import { temporaryFolder } from '../support/cli.js';
import { endure, memoryBound } from '../support/endurance.js';
import { mutatedOnnx } from '../support/mutate-onnx.js';

const folder = temporaryFolder();
const models = resolve(import.meta.dirname, '../golden/pytorch');
const names = readdirSync(models).filter((file) => file.endsWith('.onnx'));
const onnxruntime = onnxruntimeEngine('cpu');

/** What a run does with a model before it measures: reads it, adds the loss, derives the gradients, plans its memory. */
async function prepare(path: string): Promise<Graph> {
  const { model } = await openNetwork(path);
  const transform = { dtype: 'float32', divisor: 1, mean: [], std: [] } as const;
  const graph = differentiate(attachLoss(model.build({ examples: 3, training: false, transform }), { loss: 'softmaxCrossEntropy' })); // prettier-ignore
  expect(peakBytes(graph)).toBeGreaterThan(0);
  return graph;
}

describe('damaged ONNX models', () => {
  it.each(names)('%s: 300 copies are refused or become a graph, in little memory', async (name) => {
    const bytes = readFileSync(join(models, name));
    const path = join(folder, name);
    writeFileSync(path, bytes);
    await prepare(path);
    const result = await endure(300, name.length * 1000 + bytes.length, async (random, run) => {
      writeFileSync(path, mutatedOnnx(bytes, random));
      const graph = await prepare(path).finally(() => (run % 4 === 0 ? inspectNetwork(path) : undefined));
      // The runtime, too, must either take what the reader accepts or say that it cannot.
      if (run % 10 === 0 && peakBytes(graph) < 1e7) await (await onnxruntime.compile(graph)).dispose();
    });
    expect(result.crashes).toEqual([]);
    expect(result.read).toBeGreaterThan(0);
    expect(result.refused).toBeGreaterThan(50);
    expect(result.growth).toBeLessThan(memoryBound);
  });
});
