import { describe, expect, it } from 'vitest';
import { normal, key } from '../num/random.js';
import { applyUpdate, createOptimizer, createUpdate } from '../optim/optimizer.js';
import { checkConfig } from './config/file.js';
import type { RunConfig } from './config/schema.js';
import { componentsOf, optimizerOf, settingsBefore } from './optimizer.js';

const layout = {
  tensors: [
    { name: 'a', size: 3 },
    { name: 'b', size: 2 },
  ].map((tensor) => ({ ...tensor, shape: [tensor.size], layer: tensor.name, neuronAxis: null, inputAxis: null, kind: 'other' as const, offset: 0 })),
}; // prettier-ignore

const origin = { manifest: 'a'.repeat(64), theta: 'b'.repeat(64) };
const config = (keys: object): RunConfig =>
  checkConfig({ momentum: 0.9, learningRate: 0.1, ...keys }, 'test');
const gradientAt = (t: number): Float64Array => Float64Array.from(normal(key(`gradient ${t}`), 5));

/** Updates [5] of steps by some optimiser. */
function updatesOf(keys: object, steps: number): number[][] {
  const optimizer = optimizerOf(config(keys), layout);
  let state = optimizer.createState();
  const update = createUpdate(5);
  return Array.from({ length: steps }, (_, t) => {
    state = optimizer.step(state, new Float64Array(5), gradientAt(t), update);
    return [...update.gradient].map((value, k) => value + update.momentum[k]!);
  });
}

describe('the optimiser of a forked run', () => {
  it('is that of the run until the fork, and goes on with what it remembers', () => {
    const before = settingsBefore(config({}), 3);
    const forked = updatesOf({ momentum: 0.5, forks: [{ at: 3, origin, before }] }, 5);
    expect(forked.slice(0, 3)).toEqual(updatesOf({}, 3));
    // A velocity of all steps so far, of which half is kept from step 3 on.
    let velocity = new Array<number>(5).fill(0);
    const naive = Array.from({ length: 5 }, (_, t) => {
      velocity = velocity.map((v, k) => (t < 3 ? 0.9 : 0.5) * v - 0.1 * gradientAt(t)[k]!);
      return velocity;
    });
    forked.forEach((update, t) => { update.forEach((value, k) => { expect(value).toBeCloseTo(naive[t]![k]!, 12); }); }); // prettier-ignore
  });

  it('may be forked again, before or behind the first fork', () => {
    const first = { at: 3, origin, before: settingsBefore(config({}), 3) };
    const once = config({ momentum: 0.5, forks: [first] });
    expect(settingsBefore(once, 3)).toEqual(first.before);
    expect(settingsBefore(once, 4).momentum).toBe(0.5);
    const twice = { momentum: 0, forks: [first, { at: 4, origin, before: settingsBefore(once, 4) }] };
    const updates = updatesOf(twice, 5);
    expect(updates.slice(0, 4)).toEqual(updatesOf({ momentum: 0.5, forks: [first] }, 4));
    expect(updates[4]).toEqual([...gradientAt(4)].map((g) => -0.1 * g));
  });

  it('moves θ by the same settings where nobody asks for the components, and keeps what steps after the fork need', () => {
    // Without momentum a step need not keep its velocity; the steps after the fork take most of it.
    const forks = [{ at: 3, origin, before: settingsBefore(config({ momentum: 0, learningRate: 0.5 }), 3) }];
    const forked = optimizerOf(config({ forks }), layout);
    let [state, other] = [forked.createState(), forked.createState()];
    const [stepped, advanced] = [new Float32Array(5), new Float32Array(5)];
    const update = createUpdate(5);
    for (let t = 0; t < 6; t++) {
      state = forked.step(state, stepped, gradientAt(t), update);
      applyUpdate(stepped, update, stepped);
      other = forked.advance(other, advanced, gradientAt(t));
      expect(advanced, `step ${t}`).toStrictEqual(stepped);
    }
    const plain = new Float32Array(5);
    createOptimizer({ name: 'sgd', learningRate: 0.5 }, layout.tensors).advance(forked.createState(), plain, gradientAt(0));
    forked.advance(forked.createState(), advanced.fill(0), gradientAt(0));
    expect(advanced).toStrictEqual(plain);
  }); // prettier-ignore

  it('must remember what the one before remembers, and its updates are not split', () => {
    const fork = { at: 3, origin, before: settingsBefore(config({}), 3) };
    expect(() => optimizerOf(config({ optimizer: 'adam', forks: [fork] }), layout)).toThrow(
      /remembers velocity/,
    );
    expect(optimizerOf(config({ optimizer: 'nesterov', forks: [fork] }), layout).size).toBe(5);
    const split = config({ components: true, forks: [fork] });
    expect(() => componentsOf(split, layout, null)).toThrow(/components of a forked run/);
  });

  it('is the plain one without forks', () => {
    const plain = createOptimizer({ name: 'sgd', learningRate: 0.1, momentum: 0.9 }, layout.tensors);
    expect(optimizerOf(config({}), layout).createState()).toEqual(plain.createState());
  });
});
