import { rangesOf, type Ranges } from '../../ledger/layout.js';
import { signBytes } from '../../ledger/measures/gradients.js';
import type { Numbers } from '../../ledger/types.js';
import { medianOf } from '../statistics/median.js';
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

/** Turns of all layers together, and of each. */
export interface LayerTurns {
  readonly run: Turns;
  readonly perLayer: readonly Turns[];
}

/** Oscillation of weights and gradients (paper Table S2, Figures S7 and S8). */
export interface OscillationAnalysis {
  /** Turns of weights; null where θ could not be read. */
  readonly weights: LayerTurns | null;
  /**
   * Zero crossings of the objective's gradient from θ_t to θ_(t+1), t = 0 … T − 2; zero counts as not below zero. A parameter moves where its
   * gradient crosses. Null where the rule does not evaluate gradients there.
   */
  readonly gradients: LayerTurns | null;
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

/** Counts of zero crossings by parameter, from signs packed eight to a byte. */
class CrossingCounter {
  readonly turns: Int32Array;
  readonly #last: Uint8Array;
  #rows = 0;

  constructor(size: number) {
    this.turns = new Int32Array(size);
    this.#last = new Uint8Array(signBytes(size));
  }

  /** Takes the next row of signs [bytes]. */
  add(signs: Numbers): void {
    const [last, turns] = [this.#last, this.turns];
    if (this.#rows++ > 0) {
      for (let k = 0; k < turns.length; k++) turns[k]! += ((signs[k >> 3]! ^ last[k >> 3]!) >> (k & 7)) & 1;
    }
    last.set(signs);
  }

  /** A gradient that never crosses zero counts as one that does not move. */
  get moves(): Int32Array {
    return this.turns;
  }
}

/** What is counted by parameter [K]. */
interface Counts {
  readonly turns: Int32Array;
  readonly moves: Int32Array;
}

function describe(name: string, { turns, moves }: Counts, ranges: Ranges, segments: number): Turns {
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
    medianOfParameters: medianOf(each),
  };
}

/** Watches θ and the signs of gradients. */
export function watchOscillation({ view, has }: ThemeContext): Watcher<OscillationAnalysis> {
  const { layout, segments } = view;
  const weights = has('theta') ? new TurnCounter(layout.size) : null;
  const gradients = has('gradientSigns') ? new CrossingCounter(layout.size) : null;
  const turnsOf = (counts: Counts): LayerTurns => ({
    run: describe('run', counts, [[0, layout.size]], segments),
    perLayer: layout.layers.map((layer) => describe(layer, counts, rangesOf(layout, layer), segments)),
  });
  return {
    passes: [
      {
        ...(weights ? { theta: (row: Numbers) => weights.add(row) } : {}),
        ...(gradients ? { gradientSigns: (row: Numbers) => gradients.add(row) } : {}),
      },
    ],
    finish: () => ({ weights: weights && turnsOf(weights), gradients: gradients && turnsOf(gradients) }),
  };
} // prettier-ignore
