/** A commit that waits for its files before it is recorded. */
interface Waiting<Entry> {
  readonly entry: Entry;
  readonly files: Promise<unknown>;
}

/**
 * Group commit: entries are recorded in order, after their files are written; what arrives while one batch is being recorded forms the
 * next. So nobody waits for a disk, and a slow one is asked less often. At most `limit` entries wait at a time.
 */
export class CommitQueue<Entry> {
  readonly #record: (batch: readonly Entry[]) => Promise<void>;
  readonly #limit: number;
  #waiting: Waiting<Entry>[] = [];
  #running: Promise<void> | null = null;
  #failure: { readonly error: unknown } | null = null;

  constructor(record: (batch: readonly Entry[]) => Promise<void>, limit: number) {
    this.#record = record;
    this.#limit = limit;
  }

  /**
   * Resolves when there is room for the entry, usually before it is durable.
   *
   * @throws The error of an earlier entry: after one, nothing more is recorded.
   */
  async add(entry: Entry, files: Promise<unknown>): Promise<void> {
    // Its error is seen where the batch is recorded.
    files.catch(() => undefined);
    while (this.#waiting.length >= this.#limit && this.#failure === null) await this.#run();
    this.#throwFailure();
    this.#waiting.push({ entry, files });
    void this.#run();
  }

  /** Waits for one batch; false where none is left, and everything that was added is durable. Throws the error of an entry. */
  async settle(): Promise<boolean> {
    this.#throwFailure();
    if (this.#waiting.length === 0 && this.#running === null) return false;
    await this.#run();
    this.#throwFailure();
    return true;
  }

  /** Resolves when all entries are durable. */
  async flush(): Promise<void> {
    while (await this.settle());
  }

  /** Records one batch, or waits for the one that is being recorded; never rejects. */
  #run(): Promise<void> {
    this.#running ??= this.#recordBatch().finally(() => {
      this.#running = null;
      if (this.#waiting.length > 0) void this.#run();
    });
    return this.#running;
  }

  async #recordBatch(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    if (this.#failure !== null) return;
    try {
      await Promise.all(batch.map(({ files }) => files));
      await this.#record(batch.map(({ entry }) => entry));
    } catch (error) {
      this.#failure = { error };
    }
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }
}
