import { lstatSync } from 'node:fs';
import { constants, type FileHandle, open } from 'node:fs/promises';
import { StoreError } from '../errors.js';
import { encodeLine, type JournalLine, origin } from '../format/journal.js';
import type { JournalRecord } from '../format/records.js';
import { attempt, sha256, writeAt } from './files.js';

/** Appends to a journal, one line at a time. */
export class JournalWriter {
  /** The last append that was asked for; never rejects. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(
    readonly path: string,
    readonly file: FileHandle,
    private end: number,
    private check: string,
  ) {}

  /** Opens a journal after its last sound line and cuts off what a crash may have left behind that. Null: it has none yet. */
  static async open(path: string, last: JournalLine | null): Promise<JournalWriter> {
    return attempt(`write ${path}`, async () => {
      const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
      const file = await open(path, O_RDWR | (last === null ? O_CREAT | O_EXCL : O_NOFOLLOW));
      await file.truncate(last?.end ?? 0);
      return new JournalWriter(path, file, last?.end ?? 0, last?.check ?? origin);
    });
  }

  /**
   * Writes records, a line each, behind what was asked for before; they are durable when this resolves. Where that fails, the journal is as before.
   * Throws StoreError.
   */
  append(...records: readonly JournalRecord[]): Promise<void> {
    const own = this.#last.then(() => this.#append(records));
    this.#last = own.catch(() => undefined);
    return own;
  }

  async #append(records: readonly JournalRecord[]): Promise<void> {
    let check = this.check;
    const lines = records.map((record) => {
      const encoded = encodeLine(check, record, sha256);
      check = encoded.check;
      return encoded.line;
    });
    const bytes = lines.length === 1 ? lines[0]! : Buffer.concat(lines);
    try {
      await attempt(`write ${this.path}`, async () => {
        this.#requireInPlace(this.end);
        writeAt(this.file.fd, bytes, this.end);
        await this.file.datasync();
        this.#requireInPlace(this.end + bytes.length);
      });
    } catch (error) {
      await this.file.truncate(this.end).catch(() => undefined);
      throw error;
    }
    this.end += bytes.length;
    this.check = check;
  }

  /** Throws StoreError where the file that is written is not the run's journal any more, and so nobody will ever read it. */
  #requireInPlace(size: number): void {
    if (lstatSync(this.path, { throwIfNoEntry: false })?.size === size) return;
    throw new StoreError({
      given: `${this.path}, which was moved, deleted or replaced while the run is written`,
      expected: 'the journal that this process writes, which says what of the run is stored',
      remedy: 'put it back, then resume the run; without it nothing of the run can be read',
    });
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}
