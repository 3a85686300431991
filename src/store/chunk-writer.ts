import { dirname, join } from 'node:path';
import { type ArraySpec, chunkPath } from '../format/arrays.js';
import { encodeNumbers } from '../format/codec.js';
import type { Numbers } from '../ledger/types.js';
import { Spares } from '../num/spares.js';
import { makeInside, makeNew, sha256, writeDurable } from './files.js';

/** A chunk that is ready to be written. */
export interface EncodedChunk {
  /** Inside the run folder. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/** Writes chunks of arrays, each into a file of its own. The memory of their bytes is used again. */
export class ChunkWriter {
  readonly #made = new Set<string>();
  /** By length. */
  readonly #spares = new Map<number, Spares<Uint8Array>>();

  constructor(readonly folder: string) {}

  /** A chunk of the array, whose numbers [rows, …] are copied. It must be written or released. */
  encode(spec: ArraySpec, chunk: number, numbers: Numbers): EncodedChunk {
    const bytes = encodeNumbers(numbers, this.#memory(numbers.byteLength).take());
    return { path: chunkPath(spec, chunk), bytes, sha256: sha256(bytes) };
  }

  /** Writes a chunk, whose folder is made where it has other dimensions before it, and releases it. Throws StoreError. */
  async write(chunk: EncodedChunk): Promise<void> {
    await this.#makeFolder(dirname(chunk.path));
    await writeDurable(join(this.folder, chunk.path), chunk.bytes);
    this.release(chunk);
  }

  /** A folder that is new in one that was made here cannot lie behind a link. */
  async #makeFolder(folder: string): Promise<void> {
    if (this.#made.has(folder)) return;
    const isNew = this.#made.has(dirname(folder)) && (await makeNew(join(this.folder, folder)));
    if (!isNew) await makeInside(this.folder, folder);
    this.#made.add(folder);
    this.#made.add(dirname(folder));
  }

  /** Takes back the memory of a chunk that is not needed any more. */
  release({ bytes }: EncodedChunk): void {
    this.#memory(bytes.length).give(bytes);
  }

  /** Folders whose entries a new chunk changes: its own, and the one that its own may be new in. */
  foldersOf({ path }: EncodedChunk): string[] {
    const own = join(this.folder, dirname(path));
    return [own, dirname(own)];
  }

  #memory(length: number): Spares<Uint8Array> {
    const spares = this.#spares.get(length) ?? new Spares<Uint8Array>(() => new Uint8Array(length));
    this.#spares.set(length, spares);
    return spares;
  }
}
