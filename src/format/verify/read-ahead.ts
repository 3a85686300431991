import type { Source } from '../source.js';

/** Files that are read before they are asked for: a store far away answers many requests in the time of one. */
const width = 8;

/** Reads files in the order in which they will be asked for, a few of them ahead. Others are read when they are asked for. */
export class ReadAhead {
  readonly #source: Source;
  readonly #files: Iterator<string>;
  readonly #begun = new Map<string, ReturnType<Source['get']>>();

  constructor(source: Source, files: Iterable<string>) {
    this.#source = source;
    this.#files = files[Symbol.iterator]();
  }

  /** The bytes of a file; undefined where there is none. Rejects as the source does. */
  get(file: string): ReturnType<Source['get']> {
    this.#begin();
    const begun = this.#begun.get(file);
    if (begun === undefined) return this.#source.get(file);
    this.#begun.delete(file);
    return begun;
  }

  #begin(): void {
    while (this.#begun.size < width) {
      const next = this.#files.next();
      if (next.done) return;
      const bytes = this.#source.get(next.value);
      // Whoever asks for it sees the error.
      bytes.catch(() => undefined);
      this.#begun.set(next.value, bytes);
    }
  }
}
