import { addInto, type Term } from '../num/sums.js';

/** A running sum of gradients [K]. A single gradient is kept by reference; memory is taken only from the second on. */
export class GradientSum {
  #value: Float64Array | null = null;
  #owned = false;

  /** Adds a gradient [K]. */
  add(gradient: Float64Array): void {
    if (this.#value === null) {
      this.#value = gradient;
      return;
    }
    if (!this.#owned) this.#value = this.#value.slice();
    this.#owned = true;
    addInto(this.#value, gradient);
  }

  /** Takes over what `other` holds, which is empty afterwards. */
  absorb(other: GradientSum): void {
    if (other.#value === null) return;
    if (this.#value === null) {
      this.#value = other.#value;
      this.#owned = other.#owned;
    } else {
      this.add(other.#value);
    }
    other.#value = null;
    other.#owned = false;
  }

  /** The sum [K], times a weight, as a term of a mean; none where nothing was added, or the weight is 0. */
  terms(weight: number): Term[] {
    return this.#value === null || weight === 0 ? [] : [{ weight, vector: this.#value }];
  }
}
