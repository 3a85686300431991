import { describe, expect, it } from 'vitest';
import { key, normal } from '../../num/random.js';
import type { Allocated } from '../allocate.js';
import { layoutOf } from '../layout.js';
import { gradientSigns, layerNorms, signBytes, signChanges, unpackedSigns } from './gradients.js';

const layout = layoutOf([
  { name: 'a.weight', shape: [3, 5], layer: 'a', neuronAxis: 0, inputAxis: 1 },
  { name: 'a.bias', shape: [3], layer: 'a', neuronAxis: 0 },
  { name: 'b.scale', shape: [1], layer: 'b', neuronAxis: null },
]);
const K = layout.size;
const start = normal(key(1), K);
const end = normal(key(2), K);
start[0] = 0;
end[0] = -0;
[start[1], end[1]] = [0, 2];
[start[2], end[2]] = [0, -2];

const gradients = { startGradient: start, endGradient: end } as unknown as Allocated;

describe('signs of gradients', () => {
  it('are bits that are set below zero alone, whatever the number of parameters', () => {
    expect(signBytes(K)).toBe(3);
    const packed = gradientSigns(gradients);
    [start, end].forEach((gradient, row) => {
      const signs = unpackedSigns(packed.subarray(3 * row, 3 * row + 3), K);
      expect([...signs].map((sign) => sign < 0)).toEqual([...gradient].map((value) => value < 0));
    });
    // Bits behind the last parameter stay clear.
    expect(packed[2]! >> (K - 16)).toBe(0);
  });

  it('change where one end is below zero: zero counts as above', () => {
    const changed = Array.from(start, (value, k) => value < 0 !== end[k]! < 0);
    expect(changed.slice(0, 3)).toEqual([false, false, true]);
    const count = (match: (k: number) => boolean) => changed.filter((flag, k) => flag && match(k)).length;
    const changes = signChanges(gradientSigns(gradients), layout);
    expect([...changes['layer']!]).toEqual([count((k) => k < 18), count((k) => k === 18)]);
    const neurons = [0, 1, 2].map((n) =>
      count((k) => (k < 15 ? Math.floor(k / 5) === n : k < 18 && k - 15 === n)),
    );
    expect([...changes['neuron']!]).toEqual(neurons);
    const inputs = [0, 1, 2, 3, 4].map((n) => count((k) => k < 15 && k % 5 === n));
    expect([...changes['input']!]).toEqual(inputs);
  });
});

describe('norms', () => {
  it('are those of each layer, vector by vector', () => {
    const norms = layerNorms([start, end], layout);
    const expected = [start, end].flatMap((vector) => [
      Math.hypot(...vector.subarray(0, 18)),
      Math.abs(vector[18]!),
    ]);
    norms.forEach((norm, k) => {
      expect(norm).toBeCloseTo(expected[k]!, 12);
    });
  });
});
