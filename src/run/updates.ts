import { DataError, StoreError } from '../errors.js';
import type { Experiment } from '../experiment/experiment.js';
import { splitterOf } from '../experiment/optimizer.js';
import { type Recorded, reopenTrajectory } from '../experiment/recorded.js';
import type { ComponentsInput } from '../ledger/allocate.js';
import { placeOf, type Ranges, statisticsRanges } from '../ledger/layout.js';
import type { Motion } from '../ledger/measure-range.js';
import type { ParameterLayout } from '../ledger/types.js';
import { addInto } from '../num/sums.js';
import type { ComponentSplitter } from '../optim/components.js';
import type { Trajectory } from '../trajectory/types.js';
import { type Replay, trajectory, type TrajectoryRow } from './steps.js';

/** Knows what updates were made of. */
interface UpdateSource {
  /**
   * The components [K] of a segment's update; segments are asked for in ascending order. Their arrays hold the next ones after the next call.
   * Throws DataError, StoreError where they are not those of the motion.
   */
  parts(segment: number, motion: Motion): Promise<readonly Float64Array[]>;
  close(): Promise<void>;
}

/** Splits the motion of segments into the components of a run: those of its updates, then how θ was rounded. */
export class Updates {
  readonly #rounding: Float64Array;
  /** How running statistics moved [K]; null: there are none. */
  readonly #statistics: Float64Array | null;
  readonly #ranges: Ranges;
  readonly #byParameter: boolean;

  private constructor(
    { config, layout }: Experiment,
    readonly source: UpdateSource,
  ) {
    this.#rounding = new Float64Array(layout.size);
    this.#ranges = statisticsRanges(layout);
    this.#statistics = this.#ranges.length > 0 ? new Float64Array(layout.size) : null;
    this.#byParameter = config.keepComponents === 'parameters';
  }

  /**
   * By training, which is done again, or as `replay` says; or by the recording. Null where nothing is to be split. Throws DataError where that
   * is not as it was.
   */
  static async open(experiment: Experiment, replay?: Replay): Promise<Updates | null> {
    const { components, recorded, layout } = experiment;
    if (components.length === 0) return null;
    if (recorded === null) return new Updates(experiment, new ReplayedUpdates(experiment, replay));
    const reopen = () => reopenTrajectory(experiment, recorded);
    return new Updates(experiment, new RecordedUpdates(recorded, await reopen(), layout, reopen));
  }

  /** Of one segment behind those that were asked for. */
  async split(segment: number, motion: Motion): Promise<ComponentsInput> {
    const trained = await this.source.parts(segment, motion);
    for (const [from, to] of this.#ranges) this.#statistics!.set(motion.delta.subarray(from, to), from);
    const parts = this.#statistics === null ? trained : [...trained, this.#statistics];
    setRest(this.#rounding, parts, motion);
    return { parts: [...parts, this.#rounding], byParameter: this.#byParameter };
  }

  close(): Promise<void> {
    return this.source.close();
  }
}

/** Writes what components [K] leave of a motion. */
function setRest(rest: Float64Array, parts: readonly Float64Array[], { delta }: Motion): void {
  rest.fill(0);
  for (const part of parts) addInto(rest, part);
  for (let k = 0; k < rest.length; k++) rest[k] = delta[k]! - rest[k]!;
}

/** Updates of a training that is done again from its first step on: a step costs the gradient of one mini-batch. */
class ReplayedUpdates implements UpdateSource {
  readonly #rows: AsyncGenerator<TrajectoryRow, void>;
  readonly #splitter: ComponentSplitter;

  constructor(experiment: Experiment, replay?: Replay) {
    this.#rows = trajectory(experiment, { replay, updates: true });
    this.#splitter = splitterOf(experiment.config, experiment.layout);
  }

  async parts(segment: number, { to }: Motion): Promise<readonly Float64Array[]> {
    for (;;) {
      const next = await this.#rows.next();
      if (next.done) throw new TypeError(`segment ${segment} was asked for before, or is none`);
      if (next.value.update === undefined) continue;
      const parts = this.#splitter.split(next.value.update);
      if (next.value.row <= segment) continue;
      requireSame(next.value, to);
      return parts;
    }
  }

  async close(): Promise<void> {
    await this.#rows.return(undefined);
  }
}

function requireSame({ row, theta }: TrajectoryRow, stored: Float32Array): void {
  if (stored.every((value, k) => Object.is(value, theta[k]))) return;
  throw new StoreError({
    given: `row ${row} of theta, which is not what training gives now`,
    expected: 'the same numbers, since components of updates are found by replaying the training',
    remedy:
      'measure with the machine and version that trained the run, or make a new run without --components',
  });
}

/** How far recorded components may miss the motion of a step, relative to the size of all numbers: a few roundings to float32. */
const roundings = 2 ** -22;

/** Updates that were recorded beside θ. */
class RecordedUpdates implements UpdateSource {
  constructor(
    readonly recorded: Recorded,
    private recording: Trajectory,
    readonly layout: ParameterLayout,
    readonly reopen: () => Promise<Trajectory>,
  ) {}

  async parts(segment: number, motion: Motion): Promise<readonly Float64Array[]> {
    if (segment + 1 >= this.recording.rows) await this.#takeInRows();
    const parts: Float64Array[] = [];
    for (const name of this.recorded.components) {
      parts.push(Float64Array.from(await this.recording.component(name, segment)));
    }
    this.#requireExplained(segment, parts, motion);
    return parts;
  }

  close(): Promise<void> {
    return this.recording.close();
  }

  /** A recording that is followed has grown since it was opened. */
  async #takeInRows(): Promise<void> {
    await this.recording.close();
    this.recording = await this.reopen();
  }

  #requireExplained(segment: number, parts: readonly Float64Array[], { from, to, delta }: Motion): void {
    const { iteration } = this.recording;
    const bound = roundings * (iteration[segment + 1]! - iteration[segment]!);
    for (let k = 0; k < delta.length; k++) {
      let rest = delta[k]!;
      let size = Math.abs(from[k]!) + Math.abs(to[k]!);
      for (const part of parts) {
        rest -= part[k]!;
        size += Math.abs(part[k]!);
      }
      if (!(Math.abs(rest) <= bound * size + 2 ** -148)) throw this.#unexplained(segment, k, rest, delta[k]!);
    }
  }

  #unexplained(segment: number, k: number, rest: number, moved: number): DataError {
    const { tensor, index } = placeOf(this.layout, k);
    return new DataError({
      given: `components ${this.recorded.components.join(', ')} in ${this.recorded.path}, which miss ${rest.toPrecision(3)} of the ${moved.toPrecision(3)} that ${tensor}[${index}] moved in segment ${segment}`,
      expected: 'components that add up to the motion, but for rounding to float32',
      remedy: 'record all that moves θ, with the sign of the motion (update/gradient is −learningRate · gradient), or leave out --components',
    }); // prettier-ignore
  }
}
