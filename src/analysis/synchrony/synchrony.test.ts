import { describe, expect, it } from 'vitest';
import { fold, key, normal, uniform } from '../../num/random.js';
import { dividedView } from '../../../test/support/divided-view.js';
import { analyseThemes } from '../themes/themes.js';
import { MomentWatch, momentLimit } from './moments.js';
import { rotateCurves, shiftCurves, shiftLayers, synchronised } from './nulls.js';

/** The strict local minima below zero of a curve by their definition: the 20 lowest, in order of time. */
function naive(curve: readonly number[]): number[] {
  return curve
    .map((value, t) => ({ value, t }))
    .filter(({ value, t }) => t > 0 && t < curve.length - 1 && value < 0 && value < curve[t - 1]! && value < curve[t + 1]!)
    .sort((a, b) => a.value - b.value || a.t - b.t)
    .slice(0, momentLimit)
    .map(({ t }) => t)
    .sort((a, b) => a - b);
} // prettier-ignore

/** Moments of curves [curves][T]. */
function momentsOf(curves: readonly (readonly number[])[], sign: 1 | -1 = 1): number[][] {
  const watch = new MomentWatch(curves.length, sign);
  curves[0]!.forEach((_, t) => watch.add(Float64Array.from(curves, (curve) => curve[t]!)));
  return watch.segments();
}

/** Curves of independent noise below zero [curves][300]. */
const noise = (name: string | number, curves: number): number[][] =>
  Array.from({ length: curves }, (_, i) => [...normal(fold(fold(key('noise'), name), i), 300)]);

describe('moments of learning', () => {
  it('are the lowest strict minima below zero, found as rows come', () => {
    const curves = noise('a', 5);
    expect(momentsOf(curves)).toEqual(curves.map(naive));
    expect(momentsOf(curves.map((curve) => curve.map((x) => -x)), -1)).toEqual(curves.map(naive));
    const rounded = curves.map((curve) => curve.map((x) => Math.round(2 * x)));
    expect(momentsOf(rounded)).toEqual(rounded.map(naive));
  }); // prettier-ignore

  it('are none at ends, on plateaus and above zero', () => {
    expect(momentsOf([[-9, -1, -3, -3, -1, 2, 1, 2, -1, -2]])).toEqual([[]]);
    expect(momentsOf([[0, -1, 0]])).toEqual([[1]]);
  });
});

describe('synchrony', () => {
  it('is found at the rate at which it is planted', () => {
    const planted = Array.from({ length: 20 }, (_, i) => 5 + 14 * i);
    const apart = (layer: number) => planted.map((t, i) => (i < 12 ? t : t + 4 * (layer + 1)));
    const layers = [apart(0), apart(1), apart(2)];
    expect(synchronised(layers)).toEqual(planted.slice(0, 12));
    const [together, curves] = [shiftLayers([layers], 12), shiftCurves([layers], 12)];
    expect(together).toMatchObject({ p: 1 / 16, exact: true, mean: 12 / 16 });
    expect(curves).toMatchObject({ exact: true, mean: 12 / 16 });
    expect(curves.p).toBeCloseTo(1 / 16, 12);
    const classes = Array.from({ length: 10 }, () => layers);
    expect(shiftCurves(classes, 120).p).toBeCloseTo(16 ** -10, 20);
    expect(shiftLayers(classes, 120).p).toBe(1 / 16);
    expect(rotateCurves(classes, 120, 300).p).toBe(1 / 2001);
  });

  it('is found in noise at no more than the nominal rate', () => {
    const trials = 200;
    const low = { curves: 0, rotated: 0 };
    for (let trial = 0; trial < trials; trial++) {
      const groups = Array.from({ length: 4 }, (_, g) => momentsOf(noise(4 * trial + g, 2)));
      const observed = groups.flatMap(synchronised).length;
      if (shiftCurves(groups, observed).p <= 0.05) low.curves++;
      if (trial < 40 && rotateCurves(groups, observed, 300).p <= 0.05) low.rotated++;
    }
    expect(low.curves / trials).toBeLessThan(0.1);
    expect(low.rotated / 40).toBeLessThan(0.15);
  });

  it('has the distribution of one independent shift a curve', () => {
    const random = uniform(key('groups'), 3 * 2 * 12);
    const groups = Array.from({ length: 3 }, (_, g) => Array.from({ length: 2 }, (_, l) => [...new Set(Array.from({ length: 12 }, (_, i) => Math.floor(25 * random[(g * 2 + l) * 12 + i]!)))])); // prettier-ignore
    const { distribution, p, mean } = shiftCurves(groups, 15);
    // All 16^3 ways at once, by their definition.
    const shifts = [-2, -1, 1, 2];
    const counts = groups.map(([a, b]) => shifts.flatMap((s) => shifts.map((r) => a!.filter((t) => b!.includes(t + s - r)).length))); // prettier-ignore
    const sums = counts[0]!.flatMap((x) => counts[1]!.flatMap((y) => counts[2]!.map((z) => x + y + z)));
    const found = distribution.map((_, n) => sums.filter((total) => total === n).length / sums.length);
    distribution.forEach((chance, n) => expect(chance).toBeCloseTo(found[n]!, 12));
    expect(p).toBeCloseTo(sums.filter((total) => total >= 15).length / sums.length, 12);
    expect(mean).toBeCloseTo(sums.reduce((a, b) => a + b) / sums.length, 10);
  });
});

describe('synchrony of motion and gradients', () => {
  it('is that of the stored norms, by part where they are divided', async () => {
    const view = dividedView(40);
    const { synchrony } = await analyseThemes(view, { only: ['synchrony'] });
    const { motion, gradient, gradientByPart } = synchrony!;
    const rows: number[][] = [];
    for await (const row of view.rows('part_gradient_norm', 'train')!) rows.push([...row]);
    const curves = [0, 1, 2, 3, 4, 5].map((curve) => rows.map((row) => row[curve]!));
    expect(gradientByPart!.groups.map(({ part }) => part)).toEqual(['cats', 'dogs', 'birds']);
    const found = gradientByPart!.groups.flatMap(({ moments }) => moments.map((own) => own.map(({ t }) => t).sort((a, b) => a - b)));
    expect(found).toEqual(curves.map((curve) => naive(curve.map((value) => -value))));
    expect([motion!.groups.length, gradient!.groups.length]).toEqual([1, 1]);
    expect(motion!.observed).not.toBe(0);
  }); // prettier-ignore
});
