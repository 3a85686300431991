import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocate } from './allocate.js';
import { allowedOpen, certaintyOf, gradientRounding, isSettled, undeterminedBy } from './certainty.js';
import { audit, ledgerRow } from './columns.js';
import { layoutOf } from './layout.js';
import { stored } from '../../test/support/stored-row.js';

const layout = layoutOf([
  { name: 'a.weight', shape: [3, 4], layer: 'a', neuronAxis: 0, inputAxis: 1 },
  { name: 'b.weight', shape: [5], layer: 'b', neuronAxis: 0 },
  { name: 'a.bias', shape: [3], layer: 'a', neuronAxis: 0 },
]);
const K = layout.size;
const entry = fc.oneof(fc.constantFrom(0, -0), fc.double({ min: -4, max: 4, noNaN: true }));
const vector = fc.array(entry, { minLength: K, maxLength: K }).map((values) => Float64Array.from(values));
const layerOf = (k: number) => layout.tensors.findLast(({ offset }) => offset <= k)!;

/** Whether an entry is undetermined, by the definition of docs/NUMERICS.md. */
function isOpen(k: number, gradient: Float64Array, error: Float64Array): boolean {
  const { offset, size } = layerOf(k);
  const own = gradient.subarray(offset, offset + size);
  const rounding = 2 ** -15 * Math.sqrt(own.reduce((total, value) => total + value ** 2, 0) / size);
  return Math.abs(gradient[k]!) <= 2 * Math.abs(error[k]!) + rounding;
}

describe('certainty', () => {
  it('counts by its definition, layer by layer and by any grouping, and never an exact zero', () => {
    fc.assert(
      fc.property(vector, vector, vector, (delta, meanGradient, meanError) => {
        const found = certaintyOf({ delta, meanGradient, meanError, layout });
        const open = Array.from(delta, (step, k) => step * meanGradient[k]! !== 0 && isOpen(k, meanGradient, meanError)); // prettier-ignore
        const count = (of: (k: number) => boolean) => open.filter((value, k) => value && of(k)).length;
        layout.layers.forEach((layer, l) => {
          const inLayer = (k: number) => layerOf(k).layer === layer;
          expect(found.undetermined[l]).toBe(count(inLayer));
          expect(found.undeterminedHelping[l]).toBe(
            count((k) => inLayer(k) && delta[k]! * meanGradient[k]! < 0),
          );
          const error = delta.reduce((total, step, k) => total + (inLayer(k) ? step * meanError[k]! : 0), 0);
          expect(found.layerErrors[l]).toBeCloseTo(error, 10);
        });
        for (const grouping of layout.groupings) {
          if (grouping.cellOf.includes(-1)) continue;
          expect(undeterminedBy(found, grouping).reduce((a, b) => a + b)).toBe(count(() => true));
        }
      }),
    );
  });

  it('gives rows whose laws hold, and leaves all other columns as they are', () => {
    fc.assert(
      fc.property(vector, vector, vector, (delta, meanGradient, meanError) => {
        const input = { delta, meanGradient, startGradient: meanGradient, endGradient: meanGradient, lossStart: 2, lossEnd: 1, layout, subintervals: 2, evaluations: 3 }; // prettier-ignore
        const row = ledgerRow(allocate({ ...input, meanError }));
        expect(audit(stored(row), layout)).toEqual([]);
        const plain = ledgerRow(allocate(input));
        const own = [
          'undetermined',
          'undetermined_helping',
          'unresolved',
          'layer_error',
          'entity_undetermined',
        ];
        for (const [name, value] of Object.entries(plain)) if (!own.includes(name)) expect(row[name as keyof typeof row]).toEqual(value); // prettier-ignore
      }),
      { numRuns: 30 },
    );
  });

  it('is settled where enough signs are certain, and where rounding allows no more', () => {
    const delta = new Float64Array(K).fill(1);
    const meanGradient = new Float64Array(K).fill(1);
    const errorOf = (open: number) => Float64Array.from(delta, (_, k) => (k < open ? 0.6 : 0.1));
    const input = { delta, meanGradient, layout };
    expect(isSettled({ ...input, meanError: errorOf(0) }, 0.99)).toBe(true);
    expect(isSettled({ ...input, meanError: errorOf(2) }, 0.85)).toBe(true);
    expect(isSettled({ ...input, meanError: errorOf(4) }, 0.85)).toBe(false);
    // Of these twenty signs one may be open where 95 % are to be certain; (1 − 0.95) · 20 is a little more, (1 − 0.9) · 10 a little less than 1.
    expect(isSettled({ ...input, meanError: errorOf(1) }, 0.95)).toBe(true);
    expect([allowedOpen(0.95, 20), allowedOpen(0.9, 10), allowedOpen(0.9, 20), allowedOpen(0.8, 5)]).toEqual([1, 1, 2, 1]); // prettier-ignore
    expect(allowedOpen(0.9, 25)).toBeCloseTo(2.5, 12);
    const tiny = meanGradient.map((value, k) => (k < 3 ? gradientRounding.float32 / 8 : value));
    expect(isSettled({ ...input, meanGradient: tiny, meanError: errorOf(0) }, 0.9)).toBe(true);
  });
});
