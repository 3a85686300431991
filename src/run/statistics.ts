import type { Feeds, Program } from '../engines/types.js';
import type { Experiment } from '../experiment/experiment.js';
import { batchStatisticsGraph } from '../experiment/graphs.js';
import { type Ranges, statisticsRanges } from '../ledger/layout.js';

/** Moves running statistics along with training: each step keeps `decay` of them and takes the rest from its mini-batch. */
export class RunningStatistics {
  readonly #batch: Float64Array;

  private constructor(
    readonly program: Program,
    readonly ranges: Ranges,
    readonly decay: number,
    size: number,
  ) {
    this.#batch = new Float64Array(size);
  }

  /** Null for an experiment that has none. Throws EngineError. */
  static async open(experiment: Experiment): Promise<RunningStatistics | null> {
    const { config, engine, layout } = experiment;
    const ranges = statisticsRanges(layout);
    if (ranges.length === 0) return null;
    const program = await engine.compile(batchStatisticsGraph(experiment, config.batchSize));
    return new RunningStatistics(program, ranges, config.statisticsDecay, layout.size);
  }

  /** Moves the statistics in θ [K] by those of a mini-batch, taken with the parameters of `point` [K], from which its step starts. */
  async update(feeds: Feeds, point: Float64Array, theta: Float32Array): Promise<void> {
    this.program.load(point);
    this.#batch.fill(0);
    await this.program.run({ x: feeds.x!, ...masksOf(feeds) }, this.#batch);
    for (const [from, to] of this.ranges) {
      for (let k = from; k < to; k++) {
        theta[k] = this.decay * theta[k]! + (1 - this.decay) * this.#batch[k]!;
      }
    }
  }

  close(): Promise<void> {
    return this.program.dispose();
  }
}

/** All that is fed but inputs and labels. */
function masksOf(feeds: Feeds): Feeds {
  return Object.fromEntries(Object.entries(feeds).filter(([name]) => name !== 'x' && name !== 'labels'));
}
