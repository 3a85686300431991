import { describe, expect, it } from 'vitest';
import { fold, key, uniform } from '../num/random.js';
import { componentNames, createSplitter } from './components.js';
import { applyUpdate, createOptimizer, createUpdate, type OptimizerSettings } from './optimizer.js';

const tensors = [
  { name: 'a.weight', size: 7 },
  { name: 'a.bias', size: 3 },
  { name: 'b.weight', size: 5 },
];
const size = 15;

/** Random gradients [K], a few of them of one exactly zero parameter. */
const gradientOf = (seed: number, t: number) =>
  Float64Array.from(uniform(fold(fold(key(seed), 'gradient'), String(t)), size), (u, k) =>
    k === 4 ? 0 : 2 * u - 0.9,
  );

const cases: readonly (readonly [string, OptimizerSettings])[] = [
  ['sgd', { name: 'sgd', learningRate: 0.1 }],
  ['sgd, momentum', { name: 'sgd', learningRate: 0.1, momentum: 0.9, weightDecay: 0.01 }],
  ['nesterov, clipped', { name: 'nesterov', learningRate: 0.1, momentum: 0.8, clipNorm: 0.7, weightDecay: 0.1 }],
  ['adam', { name: 'adam', learningRate: 0.01, weightDecay: 0.1, clipNorm: 1 }],
  ['adam without memory', { name: 'adam', learningRate: 0.01, momentum: 0 }],
  ['rmsprop', { name: 'rmsprop', learningRate: 0.01, momentum: 0.5, weightDecay: 0.2 }],
  [
    'groups and a schedule',
    {
      name: 'sgd', learningRate: 0.1, momentum: 0.9, schedule: { kind: 'step', every: 3, factor: 0.5, warmUp: 2 },
      groups: [
        { match: 'a.*', learningRate: 0.3, delay: 1 },
        { match: '*.bias', frozenFrom: 10, weightDecay: 0.1 },
        { match: 'b.*', frozen: true },
      ],
    },
  ],
]; // prettier-ignore

/** Trains with random gradients, and tells of every step its update and its components. */
function* steps(settings: OptimizerSettings, seed = 1) {
  const optimizer = createOptimizer(settings, tensors);
  const splitter = createSplitter(settings, tensors);
  const update = createUpdate(size);
  const theta = new Float32Array(size).fill(0.5);
  let state = optimizer.createState();
  for (let t = 0; t < 24; t++) {
    state = optimizer.step(state, theta, gradientOf(seed, t), update);
    const parts = splitter.split(update);
    yield { t, update, of: (name: string) => parts[splitter.names.indexOf(name)]!, parts };
    applyUpdate(theta, update, theta);
  }
}

describe.each(cases)('components of %s', (_, settings) => {
  it('add up to the update, and those by age to what momentum gives', () => {
    const names = componentNames(settings, tensors);
    let worst = 0;
    for (let seed = 1; seed <= 5; seed++) {
      for (const { update, parts } of steps(settings, seed)) {
        for (let k = 0; k < size; k++) {
          const whole = update.gradient[k]! + update.momentum[k]! + update.weightDecay[k]!;
          const scale = parts.reduce((sum, part) => sum + Math.abs(part[k]!), 2 ** -200);
          const sum = parts.reduce((total, part) => total + part[k]!, 0);
          const byAge = parts.filter((__, c) => names[c]!.startsWith('momentum/'));
          const history = byAge.reduce((total, part) => total + part[k]!, 0);
          worst = Math.max(worst, Math.abs(sum - whole) / scale, Math.abs(history - update.momentum[k]!) / scale); // prettier-ignore
        }
      }
    }
    expect(worst).toBeLessThan(1e-14);
  });
});

describe('the split by age', () => {
  it('is the closed form: a gradient of age a counts momentum^a', () => {
    const settings: OptimizerSettings = { name: 'sgd', learningRate: 0.1, momentum: 0.9 };
    for (const { t, of } of steps(settings)) {
      const expected = (from: number, to: number, k: number) => {
        let sum = 0;
        for (let age = from; age <= Math.min(t, to); age++)
          sum -= 0.1 * 0.9 ** age * gradientOf(1, t - age)[k]!;
        return sum;
      };
      for (let k = 0; k < size; k++) {
        expect(of('gradient')[k]).toBeCloseTo(expected(0, 0, k), 14);
        expect(of('momentum/1')[k]).toBeCloseTo(expected(1, 1, k), 14);
        expect(of('momentum/2-3')[k]).toBeCloseTo(expected(2, 3, k), 14);
        expect(of('momentum/4-7')[k]).toBeCloseTo(expected(4, 7, k), 14);
        expect(of('momentum/8+')[k]).toBeCloseTo(expected(8, 24, k), 14);
      }
    }
  });

  it('is the closed form on a quadratic loss, where every gradient follows from the ones before', () => {
    // L = ½ θ², so g = θ, and θ_t = Re(c r^t) with r the root of r² − (1 + m − lr) r + m = 0.
    const [rate, momentum] = [0.2, 0.5];
    const settings: OptimizerSettings = { name: 'sgd', learningRate: rate, momentum };
    const optimizer = createOptimizer(settings, [{ name: 'theta', size: 1 }]);
    const splitter = createSplitter(settings, [{ name: 'theta', size: 1 }]);
    const update = createUpdate(1);
    const modulus = Math.sqrt(momentum);
    const angle = Math.acos((1 + momentum - rate) / (2 * modulus));
    // θ_0 = 1 and θ_1 = 1 − lr give the two constants.
    const sine = (1 - rate - modulus * Math.cos(angle)) / (modulus * Math.sin(angle));
    const closed = (t: number) => modulus ** t * (Math.cos(angle * t) + sine * Math.sin(angle * t));
    let state = optimizer.createState();
    const theta = Float64Array.of(1);
    for (let t = 0; t < 20; t++) {
      expect(theta[0]).toBeCloseTo(closed(t), 12);
      state = optimizer.step(state, theta, theta.slice(), update);
      const byAge = (ages: readonly number[]) =>
        ages
          .filter((age) => age <= t)
          .reduce((sum, age) => sum - rate * momentum ** age * closed(t - age), 0);
      const bins = [[0], [1], [2, 3], [4, 5, 6, 7], Array.from({ length: 13 }, (_, k) => k + 8)];
      const parts = splitter.split(update).map(([value]) => value!);
      parts.forEach((part, c) => {
        expect(part).toBeCloseTo(byAge(bins[c]!), 12);
      });
      theta[0]! += parts.reduce((sum, part) => sum + part, 0);
    }
  });
});

describe('names of components', () => {
  it('are those that the optimiser has', () => {
    const momentum = ['momentum/1', 'momentum/2-3', 'momentum/4-7', 'momentum/8+'];
    const names = cases.map(([, settings]) => componentNames(settings, tensors));
    expect(names).toEqual([
      ['gradient'],
      ['gradient', ...momentum, 'weightDecay'],
      ['gradient', 'clipping', ...momentum, 'weightDecay'],
      ['gradient', 'clipping', ...momentum, 'weightDecay'],
      ['gradient'],
      ['gradient', ...momentum, 'weightDecay'],
      ['gradient', ...momentum, 'weightDecay'],
    ]);
  });

  it('tell clipping from the gradient: what it took is what the whole gradient had more', () => {
    const settings: OptimizerSettings = { name: 'sgd', learningRate: 0.1, clipNorm: 0.5 };
    for (const { t, of } of steps(settings)) {
      const gradient = gradientOf(1, t);
      const norm = Math.hypot(...gradient);
      expect(norm).toBeGreaterThan(0.5);
      gradient.forEach((value, k) => {
        expect(of('gradient')[k]).toBeCloseTo(-0.1 * value, 14);
        expect(of('clipping')[k]).toBeCloseTo(0.1 * value * (1 - 0.5 / norm), 14);
      });
    }
  });
});
