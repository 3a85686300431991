import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { smallNetwork } from '../../test/support/small-network.js';
import { EngineError, UsageError } from '../errors.js';
import type { Graph } from '../graph/types.js';
import type { RegisteredEngine } from './registry.js';
import { autoEngineNames, choiceOf, chooseEngine, defaultWorkers, engineNamed, engineNames } from './registry.js'; // prettier-ignore
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
    expect(await chooseEngine('auto', () => graph, { among: withToy })).toMatchObject({ engine: referenceEngine, passedOver: [expect.stringMatching(/^toy: operator \w+Grad/)] }); // prettier-ignore
    expect(await chooseEngine('auto', () => lossOnly, { among: withToy })).toEqual({
      engine: toy,
      passedOver: [],
    });
    expect(
      (await chooseEngine('auto', () => lossOnly, { among: [entry(toy, false), withToy[1]!] })).engine,
    ).toBe(referenceEngine);
  });

  it('is passed over by auto for a graph that it only has to know, which is not compiled', async () => {
    const compiled: Graph[] = [];
    const planned: Engine = {
      ...toy,
      plan(known: Graph) {
        if (known === graph) throw new EngineError({ given: 'a graph too large', expected: 'a smaller one', remedy: 'none' });
        return { memory: 1 };
      },
      compile(given: Graph) {
        compiled.push(given);
        return referenceEngine.compile(given);
      },
    };
    const among = [entry(planned, true), withToy[1]!];
    expect(await chooseEngine('auto', () => lossOnly, { known: () => [graph], among })).toMatchObject({ engine: referenceEngine, passedOver: ['toy: a graph too large'] });
    expect((await chooseEngine('auto', () => lossOnly, { known: () => [lossOnly], among })).engine).toBe(planned);
    expect(compiled).toEqual([lossOnly]);
  }); // prettier-ignore

  it('is never replaced where it is named, but refused where it is not available', async () => {
    expect((await chooseEngine('toy', () => graph, { among: withToy })).engine).toBe(toy);
    const absent = { ...toy, available: () => Promise.resolve({ ok: false, reason: 'no device' } as const) };
    await expect(chooseEngine('toy', () => graph, { among: [entry(absent, true)] })).rejects.toThrow(
      /toy.*no device/,
    );
    await expect(chooseEngine('auto', () => graph, { among: [entry(absent, true)] })).rejects.toThrow(/no engine for this network \(toy: no device\)/); // prettier-ignore
  });

  it('says by its facts how many workers fill the machine', () => {
    expect(defaultWorkers(toy)).toBe(1);
    expect(defaultWorkers(referenceEngine)).toBe(availableParallelism());
  });
});

describe('an engine that takes the place of another by its arithmetic', () => {
  const split: Engine = { ...toy, name: 'toy-split' };
  const among = [...withToy, { ...entry(split, false), splits: 'toy' }];
  const missing: Engine = { ...split, available: () => Promise.resolve({ ok: false, reason: 'no unit' } as const) }; // prettier-ignore
  const without = [...withToy, { ...entry(missing, false), splits: 'toy' }];
  const unasked = () => Promise.reject(new Error('timed'));

  it('takes it where the arithmetic is named, and not where the other is', async () => {
    for (const name of ['auto', 'toy']) {
      expect((await chooseEngine(name, () => lossOnly, { arithmetic: 'split', among })).engine).toBe(split);
      const chosen = await chooseEngine(name, () => lossOnly, {
        arithmetic: 'float32',
        rates: unasked,
        among,
      });
      expect(chosen).toEqual({ engine: toy, passedOver: [] });
    }
  });

  it.each([
    { rates: [2, 5], engine: split, passed: 'toy: toy-split was 2.50 times as fast here' },
    { rates: [3, 1], engine: toy, passed: 'toy-split: toy was 3.00 times as fast here' },
  ])('takes it by itself where it is faster: $rates', async ({ rates, engine, passed }) => {
    const asked: string[] = [];
    const timed = (engines: readonly Engine[]) => {
      asked.push(...engines.map(({ name }) => name));
      return Promise.resolve(rates);
    };
    expect(await chooseEngine('auto', () => lossOnly, { rates: timed, among })).toEqual({ engine, passedOver: [passed] }); // prettier-ignore
    expect(asked).toEqual(['toy', 'toy-split']);
  });

  it('is neither taken nor timed by itself where it is not available, and refused with the reason where it is named', async () => {
    expect((await chooseEngine('auto', () => lossOnly, { rates: unasked, among: without })).engine).toBe(toy);
    expect((await chooseEngine('auto', () => lossOnly, { among })).engine).toBe(toy);
    const refused = chooseEngine('auto', () => lossOnly, { arithmetic: 'split', among: without });
    await expect(refused).rejects.toThrow(/toy-split.*no unit/);
    await expect(refused).rejects.toMatchObject({ exitCode: 2 });
  });

  it.each(['split', 'float32'] as const)('is refused for an engine that has no %s', async (arithmetic) => {
    const choice = chooseEngine('auto', () => graph, { arithmetic, among });
    await expect(choice).rejects.toThrow(UsageError);
    await expect(choice).rejects.toThrow(
      /with engine reference \(toy: operator.*computes in float64.*: toy/s,
    );
  });

  it('is found again by its name, without being timed', () => {
    expect(choiceOf('native-split')).toEqual({ engine: 'native', arithmetic: 'split' });
    expect(choiceOf('native')).toEqual({ engine: 'native', arithmetic: 'float32' });
    expect(choiceOf('reference')).toEqual({ engine: 'reference', arithmetic: 'auto' });
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
