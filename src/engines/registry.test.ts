import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { smallNetwork } from '../../test/support/small-network.js';
import { EngineError, UsageError } from '../errors.js';
import type { Graph } from '../graph/types.js';
import type { RegisteredEngine } from './registry.js';
import { autoEngineNames, chooseEngine, defaultWorkers, engineNamed, engineNames } from './registry.js';
import { referenceEngine } from './reference/index.js';
import type { Engine } from './types.js';

/** An engine of the reference's kernels that knows no gradients, and runs on one device. */
const toy: Engine = {
  ...referenceEngine,
  name: 'toy',
  facts: { precision: 'float32', fills: 'device', interruptible: true },
  compile(graph: Graph) {
    const node = graph.nodes.find(({ op }) => op.endsWith('Grad'));
    if (node === undefined) return referenceEngine.compile(graph);
    return Promise.reject(new EngineError({ given: `operator ${node.op} on the toy`, expected: 'none', remedy: 'none' }));
  },
}; // prettier-ignore

const entry = (engine: Engine, auto: boolean): RegisteredEngine => ({ name: engine.name, auto, load: () => Promise.resolve(engine) }); // prettier-ignore
const withToy = [entry(toy, true), entry(referenceEngine, true)];
const { graph } = smallNetwork();
const lossOnly: Graph = { ...graph, nodes: graph.nodes.filter(({ op }) => !op.endsWith('Grad')), outputs: graph.outputs.slice(0, 1) }; // prettier-ignore

describe('an engine that is one line of the registry', () => {
  it('is found by its name, and no other is', async () => {
    expect(await engineNamed('toy', withToy)).toBe(toy);
    await expect(engineNamed('toy')).rejects.toThrow(UsageError);
    await expect(engineNamed('abacus', withToy)).rejects.toThrow(/one of auto, toy, reference/);
  });

  it('is chosen by auto in its place, or passed over with its reason', async () => {
    expect(await chooseEngine('auto', () => graph, withToy)).toMatchObject({ engine: referenceEngine, passedOver: [expect.stringMatching(/^toy: operator \w+Grad/)] }); // prettier-ignore
    expect(await chooseEngine('auto', () => lossOnly, withToy)).toEqual({ engine: toy, passedOver: [] });
    expect((await chooseEngine('auto', () => lossOnly, [entry(toy, false), withToy[1]!])).engine).toBe(
      referenceEngine,
    );
  });

  it('is never replaced where it is named, but refused where it is not available', async () => {
    expect((await chooseEngine('toy', () => graph, withToy)).engine).toBe(toy);
    const absent = { ...toy, available: () => Promise.resolve({ ok: false, reason: 'no device' } as const) };
    await expect(chooseEngine('toy', () => graph, [entry(absent, true)])).rejects.toThrow(/toy.*no device/);
    await expect(chooseEngine('auto', () => graph, [entry(absent, true)])).rejects.toThrow(/no engine for this network \(toy: no device\)/); // prettier-ignore
  });

  it('says by its facts how many workers fill the machine', () => {
    expect(defaultWorkers(toy)).toBe(1);
    expect(defaultWorkers(referenceEngine)).toBe(availableParallelism());
  });
});

describe('the registry', () => {
  it.each(engineNames)('lists %s under the name that the engine has itself', async (name) => {
    expect((await engineNamed(name)).name).toBe(name);
  });

  it('gives auto engines that run wherever a compiler or nothing is needed', () => {
    expect(autoEngineNames).toEqual(['native', 'onnxruntime', 'reference']);
  });
});
