import { basename, join } from 'node:path';
import type { RunContext } from '../../format/context.js';
import type { PartCopy } from '../parts/part-copy.js';
import { readIfPresent } from '../files.js';
import { encodeIndex, type PackedFile, PackSource } from './packs.js';
import { draftIndexPath, packPath, publishIndex } from './parts.js';
import type { RemoteRun } from './remote-run.js';

/** Files wait for others until they are so many bytes. */
const packBytes = 2 ** 24;
/** Sending takes at most this share of the time, unless packs are full. */
const timeShare = 0.1;
/** What is measured waits at most so long, in milliseconds, before it is sent. */
const patienceMs = 30_000;

/** The part of one worker on its way into an object store: packs of files, and an index that says how far it is. */
export class RemotePart implements PartCopy {
  readonly #files = new Map<string, PackedFile>();
  readonly #name: string;
  /** Files that were never sent, and those that were changed since. */
  #waiting = new Map<string, number>();
  #changed = new Set<string>();
  #packs = 0;
  #due = 0;

  private constructor(
    readonly run: RemoteRun,
    readonly task: number,
    /** Folder here. */
    readonly draft: string,
  ) {
    this.#name = basename(draft);
  }

  /** Begins a part, whose files lie in a folder here. Throws StoreError where the store does not let it be written. */
  static async begin(run: RemoteRun, task: number, draft: string): Promise<RemotePart> {
    const part = new RemotePart(run, task, draft);
    await part.#putIndex();
    return part;
  }

  refer({ source }: RunContext, paths: readonly string[]): boolean {
    if (!(source instanceof PackSource)) return false;
    for (const path of paths) this.#files.set(path, source.files.get(path)!);
    return true;
  }

  async record(stored: ReadonlyMap<string, number>, changed: readonly string[]): Promise<void> {
    for (const [path, bytes] of stored) if (!this.#files.has(path)) this.#waiting.set(path, bytes);
    for (const path of changed) this.#changed.add(path);
    const bytes = [...this.#waiting.values()].reduce((sum, own) => sum + own, 0);
    if (bytes >= packBytes || performance.now() >= this.#due) await this.flush();
  }

  async flush(): Promise<void> {
    if (await this.#send()) await this.#putIndex();
  }

  async publish(): Promise<boolean> {
    await this.#send();
    return publishIndex(this.run, this.task, encodeIndex(this.#files));
  }

  /** Sends what waits as one pack; false where nothing does. */
  async #send(): Promise<boolean> {
    if (this.#changed.size === 0) return false;
    const began = performance.now();
    const pack = packPath(this.task, this.#name, this.#packs++);
    const places = new Map<string, PackedFile>();
    const pieces: Uint8Array[] = [];
    let offset = 0;
    for (const path of [...this.#waiting.keys(), ...this.#changed]) {
      const bytes = (await readIfPresent(join(this.draft, path))) ?? new Uint8Array(0);
      pieces.push(bytes);
      places.set(path, { pack, offset, length: bytes.length });
      offset += bytes.length;
    }
    await this.run.put(pack, Buffer.concat(pieces));
    for (const [path, place] of places) this.#files.set(path, place);
    this.#waiting = new Map();
    this.#changed = new Set();
    const took = performance.now() - began;
    this.#due = performance.now() + Math.min(patienceMs, took / timeShare);
    return true;
  }

  async #putIndex(): Promise<void> {
    await this.run.put(draftIndexPath(this.task, this.#name), encodeIndex(this.#files));
  }
}
