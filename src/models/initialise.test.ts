import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../graph/builder.js';
import type { Initializer } from '../graph/types.js';
import { key } from '../num/random.js';
import { initialise } from './initialise.js';

function start(initializers: Readonly<Record<string, Initializer>>, size = 50_000): Float32Array[] {
  const builder = new GraphBuilder('g');
  for (const [name, initializer] of Object.entries(initializers)) {
    builder.parameter(name, [size], { layer: name, neuronAxis: null, initializer });
  }
  const { parameters } = builder.build([]);
  const theta = initialise(parameters, key(4));
  expect(theta.length).toBe(size * parameters.length);
  return parameters.map((_, i) => theta.subarray(i * size, (i + 1) * size));
}

function moments(values: Float32Array): { mean: number; deviation: number; largest: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return {
    mean,
    deviation: Math.sqrt(square),
    largest: values.reduce((top, v) => Math.max(top, Math.abs(v)), 0),
  };
}

describe('initialise', () => {
  it('starts He-normal tensors with variance 2 / fanIn, cut at two deviations of the parent law', () => {
    const [weights] = start({ w: { kind: 'heNormal', fanIn: 50 } });
    const { mean, deviation, largest } = moments(weights!);
    // Five standard errors; the truncated law's fourth moment is below the normal's.
    expect(Math.abs(mean)).toBeLessThan((5 * 0.2) / Math.sqrt(50_000));
    expect(Math.abs(deviation - 0.2)).toBeLessThan((5 * 0.2) / Math.sqrt(2 * 50_000));
    expect(largest).toBeLessThanOrEqual(Math.fround((2 * 0.2) / 0.8796256610342398));
    expect(largest).toBeGreaterThan(0.4);
  });

  it('starts Glorot tensors uniformly in ± sqrt(6 / (fanIn + fanOut))', () => {
    const [weights] = start({ w: { kind: 'glorotUniform', fanIn: 40, fanOut: 56 } });
    const { mean, deviation, largest } = moments(weights!);
    expect(Math.abs(mean)).toBeLessThan((5 * 0.25) / Math.sqrt(3 * 50_000));
    expect(Math.abs(deviation - 0.25 / Math.sqrt(3))).toBeLessThan(0.002);
    expect(largest).toBeLessThanOrEqual(0.25);
  });

  it('starts zeros, ones and given values as stated', () => {
    const data = Float32Array.of(1.5, -2);
    const parts = start({ z: { kind: 'zeros' }, o: { kind: 'ones' }, v: { kind: 'values', data } }, 2);
    expect(parts.map((part) => [...part])).toEqual([
      [0, 0],
      [1, 1],
      [1.5, -2],
    ]);
  });

  it('gives a tensor the same numbers whatever stands before it, and others to another name', () => {
    const he = { kind: 'heNormal', fanIn: 10 } as const;
    const [alone] = start({ b: he }, 20);
    const [other, after] = start({ a: he, b: he }, 20);
    expect(after).toEqual(alone);
    expect(other).not.toEqual(alone);
  });
});
