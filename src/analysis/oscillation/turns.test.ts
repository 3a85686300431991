import { describe, expect, it } from 'vitest';
import { layoutOf } from '../../ledger/layout.js';
import { syntheticView } from '../../../test/support/synthetic-view.js';
import type { ThemeContext } from '../themes/sweep.js';
import { type OscillationAnalysis, watchOscillation } from './turns.js';

/** Analyses rows of θ [T + 1][K] of one layer. */
function turnsOf(rows: readonly (readonly number[])[]): OscillationAnalysis {
  const layout = layoutOf([{ name: 'a.weight', shape: [rows[0]!.length], layer: 'a', neuronAxis: null }]);
  const view = { ...syntheticView({ segments: rows.length - 1, layers: { a: 1 } }), layout };
  const context: ThemeContext = {
    view, objective: 'train', heldOut: null, parts: [], exampleShape: [], has: () => true, totals: null,
  }; // prettier-ignore
  const watcher = watchOscillation(context);
  rows.forEach((row, t) => watcher.passes[0]!.theta!(Float32Array.from(row), t));
  return watcher.finish()!;
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

  it('are none across a rest', () => {
    expect(turnsOf([[0], [1], [1], [0]]).run).toMatchObject({ turns: 0, iterationsPerTurn: null, medianOfParameters: null }); // prettier-ignore
  });
});
