import { rangesOf, type Ranges } from '../../ledger/layout.js';
import type { Numbers } from '../../ledger/types.js';
import type { ThemeContext, Watcher } from '../themes/sweep.js';

/** How often weights turn round. */
export interface Turns {
  /** Layer, or `run`. */
  readonly name: string;
  readonly parameters: number;
  readonly turns: number;
  /** parameters · T / turns: iterations per turn, all parameters pooled (Table S2); null where nothing turned. */
  readonly iterationsPerTurn: number | null;
  /** The same without parameters that never moved. */
  readonly ofMoving: number | null;
  /** Mean over parameters that turned of T / turns, and the median. */
  readonly meanOfParameters: number | null;
  readonly medianOfParameters: number | null;
}

/** Oscillation of weights (paper Table S2, Figures S7 and S8). Of gradients it needs their signs, which the ledger does not keep. */
export interface OscillationAnalysis {
  readonly run: Turns;
  readonly perLayer: readonly Turns[];
}

/** Counts of turns by parameter; their size does not depend on T. */
class TurnCounter {
  readonly turns: Int32Array;
  readonly moves: Int32Array;
  readonly #last: Float64Array;
  readonly #sign: Int8Array;
  #rows = 0;

  constructor(size: number) {
    this.turns = new Int32Array(size);
    this.moves = new Int32Array(size);
    this.#last = new Float64Array(size);
    this.#sign = new Int8Array(size);
  }

  /** Takes the next row of θ [K]. A turn is a move against the move just before it; a rest in between makes it none. */
  add(theta: Numbers): void {
    const [last, signs, { turns, moves }] = [this.#last, this.#sign, this];
    if (this.#rows++ > 0) {
      for (let k = 0; k < theta.length; k++) {
        const sign = Number(theta[k]! > last[k]!) - Number(theta[k]! < last[k]!);
        turns[k]! += Number(sign * signs[k]! < 0);
        moves[k]! += sign & 1;
        signs[k] = sign;
      }
    }
    last.set(theta);
  }
}

function describe(name: string, { turns, moves }: TurnCounter, ranges: Ranges, segments: number): Turns {
  const own = ranges.flatMap(([from, to]) => [...turns.subarray(from, to)]);
  const moving = ranges.flatMap(([from, to]) => [...moves.subarray(from, to)]).filter((count) => count > 0).length; // prettier-ignore
  const total = own.reduce((sum, count) => sum + count, 0);
  const each = own.filter((count) => count > 0).map((count) => segments / count).sort((a, b) => a - b); // prettier-ignore
  const per = (parameters: number): number | null => (total > 0 ? (parameters * segments) / total : null);
  return {
    name,
    parameters: own.length,
    turns: total,
    iterationsPerTurn: per(own.length),
    ofMoving: per(moving),
    meanOfParameters: each.length > 0 ? each.reduce((sum, value) => sum + value, 0) / each.length : null,
    medianOfParameters: each[each.length >> 1] ?? null,
  };
}

/** Watches θ; null where it could not be read. */
export function watchOscillation({ view, has }: ThemeContext): Watcher<OscillationAnalysis | null> {
  if (!has('theta')) return { passes: [], finish: () => null };
  const { layout, segments } = view;
  const counter = new TurnCounter(layout.size);
  return {
    passes: [{ theta: (row) => counter.add(row) }],
    finish: () => ({
      run: describe('run', counter, [[0, layout.size]], segments),
      perLayer: layout.layers.map((layer) => describe(layer, counter, rangesOf(layout, layer), segments)),
    }),
  };
}
