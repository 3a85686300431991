import { constants, existsSync } from 'node:fs';
import { open, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pendingPath, type RunContext } from '../format/context.js';
import type { RunState } from '../format/state.js';
import { type Chunk, chunksOfWindow, recordBytes } from '../format/windows.js';
import { attempt, makeInside, writeAt } from './files.js';

/** A segment's record of small columns. */
export interface PendingRecord {
  readonly segment: number;
  readonly bytes: Uint8Array;
}

/** Writes the records of segments, and turns those of whole windows into the chunks of their arrays. */
export class WindowWriter {
  readonly #recordBytes: number;

  constructor(
    readonly folder: string,
    readonly context: RunContext,
    readonly state: RunState,
  ) {
    this.#recordBytes = recordBytes(context);
  }

  /** Writes records, each at its place in its window's file; they are durable when this resolves. */
  async write(records: readonly PendingRecord[]): Promise<void> {
    const windows = new Set(records.map(({ segment }) => this.#windowOf(segment)));
    if (windows.size > 0) await makeInside(this.folder, 'pending');
    for (const window of windows) {
      const path = join(this.folder, pendingPath(window));
      await attempt(`write ${path}`, async () => {
        const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
        const file = await open(path, O_RDWR | O_CREAT | O_NOFOLLOW);
        try {
          for (const { segment, bytes } of records) {
            if (this.#windowOf(segment) !== window) continue;
            await writeAt(file, bytes, (segment % this.context.windowRows) * this.#recordBytes);
          }
          await file.datasync();
        } finally {
          await file.close();
        }
      });
    }
  }

  /** Of the windows that newly stored segments may complete, those that are: with all their segments, and the first one behind them. */
  completedBy(stored: readonly number[]): number[] {
    const { segments, windows } = this.state;
    const touched = new Set(
      stored.flatMap((segment) => [this.#windowOf(segment), this.#windowOf(segment - 1)]),
    );
    return [...touched].filter((window) => {
      if (windows[window] !== 0) return false;
      const from = window * this.context.windowRows;
      return segments.subarray(from, from + this.context.windowRows + 1).every((flag) => flag === 1);
    });
  }

  /** The chunks of a complete window. Throws StoreError where a record is damaged, or neighbours contradict each other. */
  async chunksOf(window: number): Promise<Chunk[]> {
    return chunksOfWindow(this.context, this.state, window);
  }

  /** Deletes the records of a window whose chunks are written, and the folder of records with the last ones. */
  async clear(window: number): Promise<void> {
    await rm(join(this.folder, pendingPath(window)), { force: true });
    if (!this.state.windows.includes(0)) await rmdir(join(this.folder, 'pending')).catch(() => undefined);
  }

  /** Deletes what a crash left after the chunks of its window were written. */
  async clearAll(): Promise<void> {
    if (!this.state.windows.includes(1) || !existsSync(join(this.folder, 'pending'))) return;
    await makeInside(this.folder, 'pending');
    for (const [window, written] of this.state.windows.entries()) if (written === 1) await this.clear(window);
  }

  #windowOf(segment: number): number {
    return Math.floor(segment / this.context.windowRows);
  }
}
