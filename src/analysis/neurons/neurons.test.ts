import { describe, expect, it } from 'vitest';
import { layoutOf } from '../../ledger/layout.js';
import { fold, key, normal } from '../../num/random.js';
import { analyseClasses, concentrationOf } from './classes.js';
import { CurveSet } from './curve-set.js';

const layout = layoutOf([
  { name: 'a.weight', shape: [2, 3], layer: 'a', neuronAxis: 0, inputAxis: 1, kind: 'kernel' },
  { name: 'b.weight', shape: [2, 2], layer: 'b', neuronAxis: 0, inputAxis: 1, kind: 'kernel' },
]);

/** Pearson's correlation by its definition. */
function pearson(x: readonly number[], y: readonly number[]): number {
  const mean = (v: readonly number[]): number => v.reduce((a, b) => a + b) / v.length;
  const [mx, my] = [mean(x), mean(y)];
  const cross = (a: readonly number[], b: readonly number[], ma: number, mb: number): number => a.reduce((s, v, i) => s + (v - ma) * (b[i]! - mb), 0); // prettier-ignore
  return cross(x, y, mx, my) / Math.sqrt(cross(x, x, mx, mx) * cross(y, y, my, my));
}

function watched(curves: readonly (readonly number[])[], tensor = layout.tensors[0]!): CurveSet {
  const set = new CurveSet(tensor);
  const rows = curves[0]!.map((_, t) => Float64Array.from(curves, (curve) => curve[t]!));
  for (const row of rows) set.first(row, 0);
  for (const row of rows) set.second(row, 0);
  return set;
}

describe('correlation of trajectories', () => {
  const curves = Array.from({ length: 6 }, (_, k) => [...normal(fold(key('curves'), k), 40)]);
  curves[4] = curves[4]!.map((x, t) => x + 2 * curves[3]![t]!);

  it('is the mean over all pairs that share an output, an input, or nothing', () => {
    const found = watched(curves).finish();
    const groups = { output: [[0, 1, 2], [3, 4, 5]], input: [[0, 3], [1, 4], [2, 5]], all: [[0, 1, 2, 3, 4, 5]] }; // prettier-ignore
    for (const { kind, mean, sample } of found) {
      const pairs = groups[kind].flatMap((group) => group.flatMap((i) => group.filter((j) => j > i).map((j) => pearson(curves[i]!, curves[j]!)))); // prettier-ignore
      expect(mean, kind).toBeCloseTo(pairs.reduce((a, b) => a + b) / pairs.length, 12);
      expect(sample.length).toBeGreaterThan(300);
      for (const value of sample) expect(Math.min(...pairs.map((own) => Math.abs(own - value)))).toBeLessThan(1e-9); // prettier-ignore
    }
  });

  it('leaves constant curves out', () => {
    const still = [...curves.slice(0, 5), curves[5]!.map(() => 0.3)];
    const set = watched(still);
    expect(set.alive).toBe(5);
    const pairs = [[0, 3], [1, 4]].map(([i, j]) => pearson(still[i!]!, still[j!]!)); // prettier-ignore
    expect(set.finish().find(({ kind }) => kind === 'input')!.mean).toBeCloseTo(
      (pairs[0]! + pairs[1]!) / 2,
      12,
    );
  });

  it('is told apart from random pairs where outputs learn together, and not in noise', () => {
    const tensor = layoutOf([{ name: 'w', shape: [8, 30], layer: 'l', neuronAxis: 0, inputAxis: 1, kind: 'kernel' }]).tensors[0]!; // prettier-ignore
    const noise = Array.from({ length: 240 }, (_, k) => [...normal(fold(key('k'), k), 60)]);
    const common = Array.from({ length: 8 }, (_, o) => normal(fold(key('o'), o), 60));
    const planted = noise.map((curve, k) => curve.map((x, t) => x + common[Math.floor(k / 30)]![t]!));
    const [output, input] = watched(planted, tensor).finish();
    expect(output!.mean).toBeCloseTo(0.5, 1);
    expect(output!.test!.p).toBeLessThan(1e-6);
    expect(Math.abs(input!.mean!)).toBeLessThan(0.1);
    expect(watched(noise, tensor).finish()[0]!.test!.p).toBeGreaterThan(0.01);
  });
});

describe('class concentration', () => {
  it('is one class for a specialist, and all for a generalist', () => {
    expect(concentrationOf([0, -3, 1])).toEqual({ largest: 1, largestClass: 1, effective: 1, forHalf: 1 });
    const even = concentrationOf([-2, -2, -2, -2])!;
    expect(even).toMatchObject({ largest: 0.25, forHalf: 2 });
    expect(even.effective).toBeCloseTo(4, 12);
    expect(concentrationOf([1, 0])).toBeNull();
  });

  it('reads sums by class and neuron, and finds who helps one class at the cost of another', () => {
    // Neurons a0, a1, b0, b1 of the classes x and y.
    const sums = Float64Array.of(-4, -1, -3, 2, /* y */ 1, -1, -1, 6);
    const { perLayer, conflicts, conflictMatrix } = analyseClasses(sums, layout, ['x', 'y']);
    expect(perLayer.map(({ largest }) => largest)).toEqual([[0.5, 1], [0.75]]);
    expect(perLayer[0]).toMatchObject({ neurons: 2, conflicted: 0.5, meanEffective: 1.5, test: null });
    expect(perLayer[0]!.cancelled).toBeCloseTo(1 - 5 / 7, 12);
    expect(perLayer[1]!.test!.counts).toEqual([2, 1]);
    expect(conflicts).toEqual([{ layer: 'a', neuron: 0, helps: 'x', hurts: 'y', help: -4, hurt: 1 }]);
    expect(conflictMatrix).toEqual([[0, 1], [0, 0]]); // prettier-ignore
  });
});
