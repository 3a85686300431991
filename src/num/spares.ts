/**
 * Arrays that are used again, so that work on many rows makes no garbage. (Each large array costs fresh pages, and a few dozen of them a
 * collection of the whole heap.)
 */
export class Spares<T extends ArrayBufferView> {
  readonly #free: T[] = [];

  /** @param make Makes an array where none is left. */
  constructor(readonly make: () => T) {}

  /** An array with anything in it. */
  take(): T {
    return this.#free.pop() ?? this.make();
  }

  /** Takes back an array that nobody uses any more. */
  give(array: T): void {
    this.#free.push(array);
  }
}
