/**
 * Arrays [length] that are used again, so that work on many rows makes no garbage. (Each large array costs fresh pages, and a few dozen
 * of them a collection of the whole heap.)
 */
export class Spares {
  readonly #free: Float64Array[] = [];

  constructor(readonly length: number) {}

  /** An array [length] with anything in it. */
  take(): Float64Array {
    return this.#free.pop() ?? new Float64Array(this.length);
  }

  /** Takes back an array [length] that nobody reads any more. */
  give(array: Float64Array): void {
    this.#free.push(array);
  }
}
