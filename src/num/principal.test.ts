import { describe, expect, it } from 'vitest';
import { orthonormalise, principalDirections } from './principal.js';
import { fold, key, normal } from './random.js';
import { dot } from './sums.js';

const size = 40;
const axes = [0, 1, 2].map((r) => normal(fold(key('axes'), r), size));
orthonormalise(axes);

/** Rows that spread along three axes, by 10, 3 and 1, about a mean. */
function rows(spread: readonly number[]) {
  return async function* () {
    for (let t = 0; t < 60; t++) {
      const along = normal(fold(key('row'), t), spread.length);
      yield await Promise.resolve(
        Float32Array.from(
          { length: size },
          (_, k) => 5 + along.reduce((sum, a, r) => sum + a * spread[r]! * axes[r]![k]!, 0),
        ),
      );
    }
  };
}

/** Principal variances and directions, by the covariance of all rows and a power method of its own. */
async function variancesAlong(directions: readonly Float64Array[], of: () => AsyncIterable<Float32Array>) {
  const all: Float32Array[] = [];
  for await (const row of of()) all.push(row);
  const mean = Float64Array.from({ length: size }, (_, k) => all.reduce((sum, row) => sum + row[k]!, 0) / 60);
  return directions.map((direction) =>
    all.reduce(
      (sum, row) =>
        sum +
        dot(
          direction,
          Float64Array.from(row, (v, k) => v - mean[k]!),
        ) **
          2,
      0,
    ),
  );
}

describe('principal directions', () => {
  it('are orthonormal, in order of variance, and have all of it where the rows span no more', async () => {
    const made = rows([10, 3, 1]);
    const found = await principalDirections(made, size, 3);
    found.forEach((a, r) =>
      { found.forEach((b, s) => { expect(dot(a, b)).toBeCloseTo(r === s ? 1 : 0, 12); }); },
    ); // prettier-ignore
    const variances = await variancesAlong(found, made);
    const total = (await variancesAlong(axes, made)).reduce((sum, value) => sum + value, 0);
    expect(variances.reduce((sum, value) => sum + value, 0) / total).toBeCloseTo(1, 10);
    expect(variances[0]!).toBeGreaterThan(variances[1]!);
    expect(variances[1]!).toBeGreaterThan(variances[2]!);
    // No direction of the span has more than the first.
    const mixed = axes.map((axis, r) => axis.map((value, k) => value + 0.1 * axes[(r + 1) % 3]![k]!));
    orthonormalise(mixed);
    for (const variance of await variancesAlong([...axes, ...mixed], made)) {
      expect(variance).toBeLessThanOrEqual(variances[0]! * (1 + 1e-12));
    }
  });

  it('are zeros beyond what the rows span', async () => {
    const found = await principalDirections(rows([2]), size, 3);
    expect(found.map((direction) => Math.round(1e6 * dot(direction, direction)) / 1e6)).toEqual([1, 0, 0]);
  });
});
