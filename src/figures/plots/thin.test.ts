import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wholeTicks } from './axes.js';
import { binSegments, thin } from './thin.js';

describe('thinning a line', () => {
  it('keeps ends and extremes, in order, within the limit', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true }), { minLength: 1, maxLength: 400 }),
        fc.integer({ min: 4, max: 60 }),
        (y, limit) => {
          const x = y.map((_, i) => i);
          const points = thin(x, y, limit);
          expect(points.length).toBeLessThanOrEqual(Math.max(limit, 1));
          expect(points[0]).toEqual({ x: 0, y: y[0] });
          expect(points.at(-1)).toEqual({ x: y.length - 1, y: y.at(-1) });
          expect(Math.max(...points.map((point) => point.y))).toBe(Math.max(...y));
          expect(Math.min(...points.map((point) => point.y))).toBe(Math.min(...y));
          points.forEach((point, i) => {
            expect(point.y).toBe(y[point.x]);
            if (i > 0) expect(point.x).toBeGreaterThan(points[i - 1]!.x);
          });
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('bins of segments', () => {
  it('cover every segment once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 1, max: 50 }), (segments, limit) => {
        const iteration = Array.from({ length: segments + 1 }, (_, t) => 3 * t);
        const bins = binSegments(iteration, limit);
        expect(bins).toHaveLength(Math.min(segments, limit));
        let next = 0;
        for (const bin of bins) {
          expect(bin.from).toBe(next);
          expect(bin.to).toBeGreaterThan(bin.from);
          expect([bin.x1, bin.x2]).toEqual([3 * bin.from, 3 * bin.to]);
          next = bin.to;
        }
        expect(next).toBe(segments);
      }),
    );
  });
});

describe('ticks of the iteration axis', () => {
  it('are whole, inside the range, evenly spaced and few', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.integer({ min: 1, max: 1_000_000 }), (first, length) => {
        const ticks = wholeTicks(first, first + length);
        expect(ticks.length).toBeLessThanOrEqual(8);
        expect(ticks.length).toBeGreaterThanOrEqual(2);
        for (const tick of ticks) {
          expect(Number.isInteger(tick)).toBe(true);
          expect(tick).toBeGreaterThanOrEqual(first);
          expect(tick).toBeLessThanOrEqual(first + length);
        }
        const steps = new Set(ticks.slice(1).map((tick, i) => tick - ticks[i]!));
        expect(steps.size).toBe(1);
      }),
    );
  });
});
