import type { Source } from '../source.js';

/** What is begun before it is asked for, at most: a store far away answers many requests in the time of one. */
const width = 8;

/** What is done with items, with each, in their order; a few are begun ahead of the one that is asked for. Rejects where an item's turn comes that failed. */
export async function* ahead<T, R>(
  items: Iterable<T>,
  work: (item: T) => Promise<R>,
): AsyncGenerator<readonly [T, R]> {
  const begun: (readonly [T, Promise<R>])[] = [];
  const taken = async (): Promise<readonly [T, R]> => {
    const [item, result] = begun.shift()!;
    return [item, await result];
  };
  for (const item of items) {
    if (begun.length === width) yield taken();
    const result = work(item);
    // Whoever asks for it sees the error.
    result.catch(() => undefined);
    begun.push([item, result]);
  }
  while (begun.length > 0) yield taken();
}

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
