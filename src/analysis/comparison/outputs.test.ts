import { describe, expect, it } from 'vitest';
import { smallManifest } from '../../../test/support/run-folder.js';
import { runConfigSchema } from '../../experiment/config/schema.js';
import { outputUse } from '../../experiment/readings.js';
import { parseManifest, type Manifest } from '../../format/manifest.js';
import { GraphBuilder } from '../../graph/builder.js';
import type { OutputKind } from '../../graph/outputs.js';
import { outputsOf } from './outputs.js';

/** The manifest of a run of a network that ends in an activation, of whose outputs this was said. */
function runOf(ending: 'none' | 'Softmax' | 'LogSoftmax', outputs: OutputKind | null): Manifest {
  const builder = new GraphBuilder('net');
  const x = builder.input('x', 'float32', [1, 3]);
  const graph = builder.build([ending === 'none' ? builder.apply('Tanh', [x]) : builder.apply(ending, [x])]);
  const config = runConfigSchema.parse({ model: 'net.onnx', data: 'd.npz', outputs });
  const { readings } = outputUse(config, graph, 1);
  const said = { loss: config.loss, outputs };
  const content = { ...smallManifest(4), config: said, readings: readings.map((own) => ({ ...own })) };
  return parseManifest({ format: 'lossledger', formatVersion: 2, ...content }, 'test');
}

const isAlike = (...runs: readonly Manifest[]): boolean =>
  new Set(runs.map((run) => outputsOf(run, runs))).size === 1;

describe('what outputs were taken for', () => {
  it('is read from what the experiment says of them', () => {
    const plain = runOf('none', null);
    expect(isAlike(plain, runOf('none', 'logits'))).toBe(true);
    expect(isAlike(plain, runOf('Softmax', null), runOf('LogSoftmax', null))).toBe(true);
    expect(isAlike(runOf('none', 'logits'), runOf('Softmax', 'probabilities'))).toBe(true);
    expect(isAlike(runOf('none', 'logits'), runOf('LogSoftmax', 'logProbabilities'))).toBe(true);
    expect(isAlike(runOf('none', 'logits'), runOf('none', 'probabilities'))).toBe(false);
    expect(isAlike(runOf('Softmax', 'logits'), runOf('Softmax', null))).toBe(false);
    expect(isAlike(runOf('Softmax', 'logits'), runOf('none', 'logits'))).toBe(false);
  });
});
