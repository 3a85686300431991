import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLossledgerError, NumericError, UsageError } from '../errors.js';
import { allocate, type SegmentInput } from './allocate.js';
import { audit, type LedgerRow, ledgerRow } from './columns.js';
import { layoutOf, neuronOffsets, type LaidTensor } from './layout.js';
import type { ParameterLayout } from './types.js';
import { type KeptRow, stored } from '../../test/support/stored-row.js';

/** Layers interleaved, one without neurons, one with a tensor outside the neurons, channels on each axis. */
const tensors: LaidTensor[] = [
  { name: 'a.weight', shape: [2, 3, 2], layer: 'a', neuronAxis: 1 },
  { name: 'scale', shape: [], layer: 'scale', neuronAxis: null },
  { name: 'b.weight', shape: [3, 4], layer: 'b', neuronAxis: 1 },
  { name: 'a.bias', shape: [3], layer: 'a', neuronAxis: 0 },
  { name: 'b.bias', shape: [4], layer: 'b', neuronAxis: 0 },
  { name: 'b.gate', shape: [5], layer: 'b', neuronAxis: null },
];
const layout = layoutOf(tensors);
const K = layout.size;

/** Finite, of very different sizes, zeros of both signs included. */
const step = fc.oneof(
  fc.constantFrom(0, -0),
  fc.tuple(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), fc.integer({ min: -80, max: -30 })).map(([m, e]) => m * 2 ** e),
); // prettier-ignore
const vector = fc.array(step, { minLength: K, maxLength: K }).map((values) => Float64Array.from(values));
const loss = fc.double({ min: -10, max: 10, noNaN: true });

function rowInput(delta: Float64Array, meanGradient: Float64Array, extra: Partial<SegmentInput> = {}): SegmentInput {
  const { lossStart = 2, lossEnd = 1.5 } = extra;
  return {
    delta, meanGradient, startGradient: meanGradient, endGradient: meanGradient, lossStart, lossEnd,
    layout, subintervals: 2, evaluations: 3, ...extra,
  };
} // prettier-ignore

const allocateRow = (input: SegmentInput): LedgerRow => ledgerRow(allocate(input));

/** Layer and neuron of a parameter, by walking its multi-index. */
function placeOf(k: number): { layer: string; neuron: number | null } {
  const tensor = layout.tensors.findLast(({ offset }) => offset <= k)!;
  let rest = k - tensor.offset;
  const index = [...tensor.shape].reverse().map((extent) => {
    const digit = rest % extent;
    rest = (rest - digit) / extent;
    return digit;
  });
  index.reverse();
  return { layer: tensor.layer, neuron: tensor.neuronAxis === null ? null : index[tensor.neuronAxis]! };
}

/** Sum of the products over the parameters that match, with the size of the terms for the bound. */
function naiveSum(delta: Float64Array, gradient: Float64Array, match: (k: number) => boolean) {
  const terms = Array.from(delta, (value, k) => value * gradient[k]!).filter((_, k) => match(k));
  return {
    value: terms.reduce((total, term) => total + term, 0),
    bound: 2 ** -52 * (terms.length + 4) * terms.reduce((total, term) => total + Math.abs(term), 0),
  };
}

function expectWithin(actual: number, { value, bound }: { value: number; bound: number }): void {
  expect(Math.abs(actual - value)).toBeLessThanOrEqual(bound);
}

describe('layoutOf', () => {
  it('lays tensors end to end and numbers layers by first appearance', () => {
    expect(layout.layers).toEqual(['a', 'scale', 'b']);
    expect(layout.neurons).toEqual([3, 0, 4]);
    expect(layout.tensors.map(({ offset, size }) => [offset, size])).toEqual(
      [[0, 12], [12, 1], [13, 12], [25, 3], [28, 4], [32, 5]], // prettier-ignore
    );
    expect(K).toBe(37);
  });

  it('rejects a neuron axis that does not exist', () => {
    const wrong: LaidTensor = { name: 'w', shape: [2], layer: 'x', neuronAxis: 1 };
    expect(() => layoutOf([wrong])).toThrow(UsageError);
  });

  it('rejects tensors of one layer that disagree about its neurons', () => {
    const wrong: LaidTensor = { name: 'a.more', shape: [5], layer: 'a', neuronAxis: 0 };
    expect(() => layoutOf([...tensors, wrong])).toThrow(/3 and of 5 neurons \(a\.more\)/);
  });
});

describe('allocateRow', () => {
  it('is the product, its sums by definition, its signs counted in float64', () => {
    fc.assert(
      fc.property(vector, vector, loss, loss, (delta, gradient, lossStart, lossEnd) => {
        const row = allocateRow(rowInput(delta, gradient, { lossStart, lossEnd }));
        const products = Array.from(delta, (value, k) => value * gradient[k]!);
        expect(row.allocation).toEqual(Float32Array.from(products));
        expectWithin(
          row.total,
          naiveSum(delta, gradient, () => true),
        );
        layout.layers.forEach((layer, l) => {
          const mine = (k: number) => placeOf(k).layer === layer;
          expectWithin(row.layer_sums[l]!, naiveSum(delta, gradient, mine));
          const own = products.filter((_, k) => mine(k));
          expect(row.helping[l]).toBe(own.filter((value) => value < 0).length);
          expect(row.hurting[l]).toBe(own.filter((value) => value > 0).length);
          expect(row.zero[l]).toBe(own.filter((value) => value === 0).length);
          for (let n = 0; n < layout.neurons[l]!; n++) {
            const mineToo = (k: number) => mine(k) && placeOf(k).neuron === n;
            expectWithin(row.neuron_sums[neuronOffsets(layout)[l]! + n]!, naiveSum(delta, gradient, mineToo));
          }
        });
        expect(row.residual).toBe(row.total - (lossEnd - lossStart));
      }),
    );
  });

  it('balances', () => {
    fc.assert(
      fc.property(vector, vector, loss, loss, (delta, gradient, lossStart, lossEnd) => {
        const row = allocateRow(rowInput(delta, gradient, { lossStart, lossEnd }));
        expect(audit(stored(row), layout)).toEqual([]);
      }),
    );
  });

  it('scales with a power of two exactly, and flips sign with the step', () => {
    fc.assert(
      fc.property(vector, vector, (delta, gradient) => {
        const row = allocateRow(rowInput(delta, gradient));
        const scaled = allocateRow(rowInput(delta.map((value) => -4 * value), gradient)); // prettier-ignore
        expect(scaled.total).toBe(-4 * row.total + 0);
        expect(scaled.layer_sums.map((value) => value + 0)).toEqual(
          row.layer_sums.map((value) => -4 * value + 0),
        );
        expect(scaled.helping).toEqual(row.hurting);
        expect(scaled.zero).toEqual(row.zero);
      }),
    );
  });

  it('is compensated: what cancels within a neuron leaves the small terms whole', () => {
    const delta = new Float64Array(K).fill(1);
    const gradient = new Float64Array(K).fill(2 ** -60);
    gradient[0] = 1;
    gradient[7] = -1;
    const row = allocateRow(rowInput(delta, gradient));
    expect(row.total).toBe(35 * 2 ** -60);
  });

  it('gives the residual of the left rule from the start gradient alone', () => {
    const [delta, mean, start] = [1, 2, 3].map((value) => new Float64Array(K).fill(value));
    const row = allocateRow(rowInput(delta!, mean!, { startGradient: start! }));
    expect(row.total).toBe(2 * K);
    expect(row.residual).toBe(2 * K + 0.5);
    expect(row.left_residual).toBe(3 * K + 0.5);
  });
});

describe('numbers that are not finite', () => {
  const locate = (change: (delta: Float64Array, mean: Float64Array, start: Float64Array) => void) => {
    const [delta, mean, start] = [1, 1, 1].map((value) => new Float64Array(K).fill(value));
    change(delta!, mean!, start!);
    try {
      allocateRow(rowInput(delta!, mean!, { startGradient: start! }));
    } catch (error) {
      if (isLossledgerError(error) && error instanceof NumericError) return error.location;
      throw error;
    }
    return null;
  };

  it('are located in the mean gradient, the step and the start gradient', () => {
    expect(locate((_, mean) => (mean[26] = NaN))).toEqual({ tensor: 'a.bias', index: 1 });
    expect(locate((delta) => (delta[12] = Infinity))).toEqual({ tensor: 'scale', index: 0 });
    expect(locate((_, __, start) => (start[36] = -Infinity))).toEqual({ tensor: 'b.gate', index: 4 });
    expect(locate(() => undefined)).toBeNull();
  });

  it('include products beyond float32, which could not be stored', () => {
    expect(locate((delta, mean) => { delta[13] = 1e30; mean[13] = 1e30; })).toEqual({ tensor: 'b.weight', index: 0 }); // prettier-ignore
  });

  it('are never skipped where a zero step meets them', () => {
    expect(locate((delta, mean) => { delta[3] = 0; mean[3] = NaN; })).toEqual({ tensor: 'a.weight', index: 3 }); // prettier-ignore
  });

  it('are reported for the loss', () => {
    const zeros = new Float64Array(K);
    expect(() => allocateRow(rowInput(zeros, zeros, { lossEnd: NaN }))).toThrow(/the loss is NaN/);
  });
});

describe('audit', () => {
  const delta = Float64Array.from({ length: K }, (_, k) => Math.sin(k + 1));
  const gradient = Float64Array.from({ length: K }, (_, k) => Math.cos(3 * k));
  const good = allocateRow(rowInput(delta, gradient));
  const changed = <T extends Float32Array | Float64Array | Int32Array>(
    values: T,
    at: number,
    by: number,
  ): T => {
    const copy = values.slice() as T;
    copy[at]! += by;
    return copy;
  };
  const found = (change: Partial<KeptRow>, of: ParameterLayout = layout) =>
    audit(stored({ ...good, ...change }), of).map(({ what, layer }) => `${layer ?? 'row'}: ${what}`);

  it('passes a row of which only sums were kept', () => {
    expect(found({ allocation: null, neuron_sums: null })).toEqual([]);
    expect(found({ allocation: null })).toEqual([]);
  });

  it('finds a sum that is one rounding off', () => {
    const total = good.total * (1 + 2 ** -52);
    expect(found({ total, allocation: null })[0]).toBe('row: total and the sum of the layer sums');
    const neuron_sums = changed(good.neuron_sums, 1, good.neuron_sums[1]! * 2 ** -50);
    expect(found({ neuron_sums })).toContain('a: layer sum and the sum of its neuron sums');
  });

  it('finds a wrong residual, count, allocation and NaN', () => {
    expect(found({ loss: [2, 2], part_loss: null })).toEqual(['row: residual and total - loss change']);
    expect(found({ zero: changed(good.zero, 2, 1) })).toEqual([
      'b: helping + hurting + zero and the number of parameters',
    ]);
    expect(found({ allocation: changed(good.allocation, 2, 1e-6) })).toEqual([
      'a: layer sum and the sum of its stored allocations',
      'a: neuron sum and the sum of its stored allocations',
    ]);
    const signs = found({ helping: good.hurting, hurting: good.helping });
    expect(signs).toContain('row: helping by tensor and by layer');
    expect(signs.filter((text) => text.includes('stored')).sort()).toEqual([
      'a: hurting and the stored allocations above zero',
      'b: helping and the stored allocations below zero',
      'scale: helping and the stored allocations below zero',
    ]);
    expect(found({ residual: NaN })).toEqual(['row: residual and total - loss change']);
    expect(found({ motion_norm: good.motion_norm.map(() => 0) })).toEqual([
      'row: first-order change and the norms of gradient and motion',
    ]);
    const gradient_sign = good.gradient_sign.slice();
    gradient_sign[0]! ^= 1;
    expect(found({ gradient_sign })[0]).toMatch(/^row: changes of sign and the stored signs of /);
  });
});
