import { describe, expect, it } from 'vitest';
import { layoutOf } from '../../ledger/layout.js';
import { signBytes } from '../../ledger/measures/gradients.js';
import { syntheticView } from '../../../test/support/synthetic-view.js';
import type { ThemeContext } from '../themes/sweep.js';
import { type LayerTurns, watchOscillation } from './turns.js';
import { medianOf } from '../statistics/median.js';

/** Analyses rows of θ [T + 1][K] of one layer. */
function turnsOf(rows: readonly (readonly number[])[]): LayerTurns {
  const layout = layoutOf([{ name: 'a.weight', shape: [rows[0]!.length], layer: 'a', neuronAxis: null }]);
  const view = { ...syntheticView({ segments: rows.length - 1, layers: { a: 1 } }), layout };
  const context: ThemeContext = {
    view, objective: 'train', heldOut: null, parts: [], exampleShape: [], has: (stream) => stream === 'theta', totals: null,
  }; // prettier-ignore
  const watcher = watchOscillation(context);
  rows.forEach((row, t) => watcher.passes[0]!.theta!(Float32Array.from(row), t));
  return watcher.finish().weights!;
}

describe('turns of weights', () => {
  it.each([10, 16, 40])('of a sine come twice a period of %i', (period) => {
    const T = 20 * period;
    const rows = Array.from({ length: T + 1 }, (_, t) => [Math.sin((2 * Math.PI * (t + 0.25)) / period)]);
    const { run } = turnsOf(rows);
    expect(run.turns).toBe(40);
    expect(run.iterationsPerTurn).toBe(period / 2);
    expect(run.meanOfParameters).toBe(period / 2);
  });

  it('pool parameters, those that never move included, and say what leaving them out does', () => {
    const { run, perLayer } = turnsOf([[0, 5, 0], [1, 5, 1], [0, 5, 2], [1, 5, 3], [0, 5, 4]]); // prettier-ignore
    expect(run).toMatchObject({ parameters: 3, turns: 3, iterationsPerTurn: 4, ofMoving: 8 / 3, meanOfParameters: 4 / 3 }); // prettier-ignore
    expect(perLayer).toEqual([{ ...run, name: 'a' }]);
  });

  it('have the median of an even number of parameters between the two in the middle', () => {
    // One turns three times in four steps, one once, one never.
    const { run } = turnsOf([[0, 0, 5], [1, 1, 5], [0, 2, 5], [1, 3, 5], [0, 2, 5]]); // prettier-ignore
    expect(run).toMatchObject({ turns: 4, meanOfParameters: (4 / 3 + 4) / 2, medianOfParameters: (4 / 3 + 4) / 2 }); // prettier-ignore
    expect([medianOf([]), medianOf([3]), medianOf([1, 2, 9])]).toEqual([null, 3, 2]);
  });

  it('are none across a rest', () => {
    expect(turnsOf([[0], [1], [1], [0]]).run).toMatchObject({ turns: 0, iterationsPerTurn: null, medianOfParameters: null }); // prettier-ignore
  });
});

describe('zero crossings of gradients', () => {
  /** Analyses gradients [T][K] of one layer, packed as the ledger packs them. */
  function crossingsOf(rows: readonly (readonly number[])[]): LayerTurns {
    const layout = layoutOf([{ name: 'a.weight', shape: [rows[0]!.length], layer: 'a', neuronAxis: null }]);
    const view = { ...syntheticView({ segments: rows.length, layers: { a: 1 } }), layout };
    const context: ThemeContext = {
      view, objective: 'train', heldOut: null, parts: [], exampleShape: [], has: (stream) => stream === 'gradientSigns', totals: null,
    }; // prettier-ignore
    const watcher = watchOscillation(context);
    rows.forEach((row, t) => {
      const bytes = new Uint8Array(signBytes(row.length));
      row.forEach((value, k) => (bytes[k >> 3]! |= Number(value < 0) << (k & 7)));
      watcher.passes[0]!.gradientSigns!(bytes, t);
    });
    return watcher.finish().gradients!;
  }

  it('of a sine come twice a period, for each parameter', () => {
    const sine = (t: number, period: number) => Math.sin((2 * Math.PI * (t + 0.25)) / period);
    const rows = Array.from({ length: 320 }, (_, t) =>
      Array.from({ length: 11 }, (_unused, k) => sine(t, k === 10 ? 8 : 16)),
    );
    const { run } = crossingsOf(rows);
    expect(run.turns).toBe(10 * 39 + 79);
    expect(run.iterationsPerTurn).toBeCloseTo((11 * 320) / 469, 12);
    expect(run.medianOfParameters).toBeCloseTo(320 / 39, 12);
  });

  it('are none where a gradient is zero or above', () => {
    expect(crossingsOf([[0, 1], [2, 0], [0, 3]]).run.turns).toBe(0); // prettier-ignore
  });
});
