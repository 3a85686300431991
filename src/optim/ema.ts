import type { Floats } from '../num/sums.js';

/**
 * The exponential moving average of weights, as PyTorch's `swa_utils.AveragedModel` with `get_ema_avg_fn(decay)` keeps it: after the first step
 * the weights themselves, after each further one decay · average + (1 − decay) · weights. Held in float64.
 */
export class WeightAverage {
  readonly #average: Float64Array;
  #steps = 0;

  /** @param copied Ranges of θ [K] that are taken as they are, such as running statistics. */
  constructor(
    readonly decay: number,
    size: number,
    readonly copied: readonly (readonly [from: number, to: number])[] = [],
  ) {
    this.#average = new Float64Array(size);
  }

  /** Takes in θ [K] after a step, and writes the average, rounded once to float32, into `row` [K]. */
  take(theta: Floats, row: Float32Array): void {
    const keeps = this.#steps++ === 0 ? 0 : this.decay;
    const average = this.#average;
    for (let k = 0; k < average.length; k++) average[k]! += (1 - keeps) * (theta[k]! - average[k]!);
    for (const [from, to] of this.copied) for (let k = from; k < to; k++) average[k] = theta[k]!;
    row.set(average);
  }
}
