import { constants, type FileHandle, open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';

/** A file that was opened for an answer. */
export interface OpenedFile {
  readonly handle: FileHandle;
  /** Bytes. */
  readonly size: number;
}

/** Files that are open at a time, whatever the number of requests; further ones wait. */
const mostOpen = 64;

/** Names of one step of a path: neither hidden nor a way up, without what separates or ends paths anywhere. */
const step = /^(?!\.)[^/\\\0:]+$/;

/** Folders whose files are given out, one request or many; a link that leads out of them is never followed. */
export class FileRoom {
  #open = 0;
  readonly #waiting: (() => void)[] = [];

  /**
   * Opens a plain file below a folder; null where there is none, where it is a folder, a device or a pipe, or where a link on the way leads out.
   * What it gives must be closed with `close`.
   */
  async open(root: string, path: string): Promise<OpenedFile | null> {
    const steps = path.split('/');
    if (!steps.every((name) => step.test(name))) return null;
    await this.#enter();
    const opened = await openBelow(root, steps).catch(() => null);
    if (opened === null) this.#leave();
    return opened;
  }

  async close({ handle }: OpenedFile): Promise<void> {
    await handle.close();
    this.#leave();
  }

  async #enter(): Promise<void> {
    if (this.#open < mostOpen) this.#open++;
    // Who leaves hands the place on.
    else await new Promise<void>((go) => this.#waiting.push(go));
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#open--;
  }
}

/** Opens what stands at a path, then asks where that really was: a link that is put there in between is noticed too. */
async function openBelow(root: string, steps: readonly string[]): Promise<OpenedFile | null> {
  const top = await realpath(root);
  const path = join(top, ...steps);
  const real = await realpath(path);
  if (!real.startsWith(`${top}${sep}`)) return null;
  const handle = await open(
    real,
    constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0),
  );
  const status = await handle.stat();
  const still = await realpath(path).catch(() => null);
  if (status.isFile() && still === real) return { handle, size: status.size };
  await handle.close();
  return null;
}
