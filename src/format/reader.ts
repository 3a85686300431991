import { StoreError } from '../errors.js';
import type { Numbers, ParameterLayout } from '../ledger/types.js';
import type { LedgerView } from '../ledger/view.js';
import { readChunk } from './codec.js';
import { arrayNamed, loadContext, type Place, type RunContext } from './context.js';
import type { Manifest } from './manifest.js';
import { type ArrayReading, readArray, readCurve, rowReader, type RowRange } from './read-array.js';
import type { MixedSegments, TrainingStats } from './records.js';
import type { JournalLine } from './journal.js';
import { extendState, gaps, loadState, prefixLength, type RunState } from './state.js';
import { makeView } from './view.js';

/** How far a run has come. */
export interface RunStatus {
  /** T */
  readonly iterations: number;
  /** θ rows stored without a gap from the first on; T+1 when training is done. */
  readonly rows: number;
  /** Training ended, and its order is stored. */
  readonly trained: boolean;
  /** Segments stored, wherever they lie. */
  readonly segments: number;
  /** All segments are stored, and all arrays are written. */
  readonly sealed: boolean;
}

/**
 * Opens a run for reading, wherever its files are, also while it is being written or where it was interrupted.
 *
 * @throws StoreError where there is no run, one of another version, or its journal is damaged.
 */
export async function openRun(place: Place): Promise<RunReader> {
  const context = await loadContext(place);
  const { state, last } = await loadState(context);
  return new RunReader(context, state, last);
}

/** A run, as it was when it was opened or last refreshed. */
export class RunReader {
  /** @internal */
  constructor(
    /** @internal */
    readonly context: RunContext,
    /** @internal */
    readonly state: RunState,
    /** Last line of the journal that was read; null: it is read from its start when the run is refreshed. */
    private last: JournalLine | null = null,
  ) {}

  /**
   * Takes in what was stored since, reading only what is new of the journal. Views and readings made before stay as they are.
   *
   * @returns Whether there was anything.
   * @throws StoreError where the journal is damaged, or no longer that of this run.
   */
  async refresh(): Promise<boolean> {
    const before = this.last?.end;
    this.last = (await extendState(this.context, { state: this.state, last: this.last })).last;
    return this.last?.end !== before;
  }

  /** Folder or address. */
  get place(): string {
    return this.context.place;
  }

  get manifest(): Manifest {
    return this.context.manifest;
  }

  get layout(): ParameterLayout {
    return this.context.layout;
  }

  /** Facts about the training; null before it ended. */
  get trainingStats(): TrainingStats | null {
    return this.state.stats;
  }

  /** What was measured by another machine or version than the rest; none: all numbers are of one kind. */
  get mixed(): readonly MixedSegments[] {
    return this.state.mixed;
  }

  get status(): RunStatus {
    const { rows, segments, windows, stats } = this.state;
    const T = segments.length;
    return {
      iterations: T,
      rows: prefixLength(rows),
      trained: stats !== null,
      segments: segments.reduce((total, flag) => total + flag, 0),
      sealed: !windows.includes(0),
    };
  }

  /** Ranges [from, to) of segments that are not stored yet. */
  unmeasured(): { from: number; to: number }[] {
    return gaps(this.state.segments);
  }

  /** θ_t [K]. Throws StoreError where it is not stored, or not what was stored. */
  async theta(row: number): Promise<Float32Array> {
    if (this.state.rows[row] !== 1) {
      throw new StoreError({
        given: `row ${row} of theta in ${this.place}`,
        expected: `a stored row (the first ${prefixLength(this.state.rows)} are)`,
        remedy: 'go on with lca resume',
      });
    }
    return (await readChunk(
      this.context,
      this.state,
      arrayNamed(this.context, 'theta'),
      row,
    )) as Float32Array;
  }

  /** The ledger of the segments that are stored without a gap from the first on. Rows are read when they are asked for. */
  async view(): Promise<LedgerView> {
    return makeView(this.context, this.state, prefixLength(this.state.segments));
  }

  /** An array by its name inside ledger.zarr, such as `loss/train`. Throws StoreError listing the names, UsageError for wrong rows. */
  array(name: string, range: RowRange = {}): ArrayReading {
    return readArray(this.context, this.state, name, range);
  }

  /**
   * One number of each row of an array [rows], such as one parameter's allocation over time, without reading whole rows. Throws
   * StoreError, UsageError.
   */
  curve(name: string, column: number, range: RowRange = {}): Promise<Numbers> {
    return readCurve(this.context, this.state, name, column, range);
  }

  /** Reads single rows of arrays, one after the other. */
  rowReader(): (name: string, row: number) => Promise<Numbers> {
    return rowReader(this.context, this.state);
  }

  /** Names of all arrays, whether filled already or not. */
  get arrayNames(): string[] {
    return this.context.arrays.map(({ name }) => name);
  }
}
