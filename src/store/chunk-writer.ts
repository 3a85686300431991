import { dirname, join } from 'node:path';
import { type ArraySpec, chunkPath, emptyRow, rowFolder, widthOf } from '../format/layout/arrays.js';
import { StoreError } from '../errors.js';
import { encodeNumbers } from '../format/codec.js';
import type { Numbers } from '../ledger/types.js';
import { Spares } from '../num/spares.js';
import { shardPath } from '../format/layout/shards.js';
import {
  linkOrCopy,
  makeInside,
  makeNew,
  moveFolder,
  readIfPresent,
  sha256,
  syncFolder,
  writeDurable,
} from './files.js';
import type { ShardWriter } from './shard-writer.js';

/** A chunk that is ready to be written. */
export interface EncodedChunk {
  /** Inside the run folder. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/** Where the chunks of a row come from. */
export interface Adoption {
  readonly from: string;
  readonly how: 'copy' | 'move';
  /** Bytes of chunks that are others now, by path; default none. */
  readonly changed?: ReadonlyMap<string, Uint8Array> | undefined;
}

/** Writes chunks of arrays, each into a file of its own, or its place in one of many. The memory of their bytes is used again. */
export class ChunkWriter {
  readonly #made = new Set<string>();
  /** By length. */
  readonly #spares = new Map<number, Spares<Uint8Array>>();

  constructor(
    readonly folder: string,
    /** Writes those that are no files of their own; default: all are. */
    readonly shards?: ShardWriter,
  ) {}

  /** A chunk of the array, whose numbers [rows, …] are copied. It must be written or released. */
  encode(spec: ArraySpec, chunk: number, numbers: Numbers): EncodedChunk {
    const bytes = encodeNumbers(numbers, this.#memory(numbers.byteLength).take());
    return { path: chunkPath(spec, chunk), bytes, sha256: sha256(bytes) };
  }

  /** Writes a chunk, whose folder is made where it has other dimensions before it, and releases it. Throws StoreError. */
  async write(chunk: EncodedChunk): Promise<void> {
    await this.take(chunk.path, chunk.bytes);
    this.release(chunk);
  }

  /** Puts a chunk into its place, of such bytes or from another folder: there the same file where the file system has links, else a copy. Throws StoreError. */
  async take(path: string, from: string | Uint8Array): Promise<void> {
    await this.#makeFolder(dirname(this.#fileOf(path)));
    const place = this.shards?.placeOf(path) ?? null;
    if (place !== null) {
      const bytes = typeof from === 'string' ? await readIfPresent(join(from, path)) : from;
      await this.shards!.write(place, bytes ?? new Uint8Array(0));
      return;
    }
    const target = join(this.folder, path);
    await (typeof from === 'string' ? linkOrCopy(join(from, path), target) : writeDurable(target, from));
  }

  /**
   * Puts the chunks of a row into their places, from another folder that is laid out alike, or of bytes that are given by path. Where they are moved, those that
   * were moved before stay, and what a crash left there goes; rows that share a file are always copied. Returns the folders whose entries that
   * changes. Throws StoreError.
   */
  async adopt(specs: readonly ArraySpec[], row: number, { from, how, changed = new Map() }: Adoption): Promise<string[]> {
    const folders = specs.map(async (spec) => {
      const [path, own] = [chunkPath(spec, row), rowFolder(spec, row)];
      if (how === 'copy' || changed.has(path) || (this.shards?.placeOf(path) ?? null) !== null) {
        await this.take(path, changed.get(path) ?? from);
        return this.foldersOf({ path });
      }
      await this.#makeFolder(dirname(own));
      await moveFolder(join(from, own), join(this.folder, own));
      return [join(this.folder, dirname(own))];
    });
    return (await Promise.all(folders)).flat();
  } // prettier-ignore

  #fileOf(path: string): string {
    const place = this.shards?.placeOf(path) ?? null;
    return place === null ? path : shardPath(place.spec, place.shard);
  }

  /** A folder that is new in one that was made here cannot lie behind a link. */
  async #makeFolder(folder: string): Promise<void> {
    if (this.#made.has(folder)) return;
    const isNew = this.#made.has(dirname(folder)) && makeNew(join(this.folder, folder));
    if (!isNew) await makeInside(this.folder, folder);
    this.#made.add(folder);
    this.#made.add(dirname(folder));
  }

  /** Writes all rows [width] of an array in chunks of many rows, durably; returns the checksums of their files. Throws StoreError. */
  async writeRows(spec: ArraySpec, rows: Iterable<Numbers>): Promise<Record<string, string>> {
    const width = widthOf(spec);
    const files: Record<string, string> = {};
    let buffer = emptyRow(spec.dtype, spec.chunkRows * width);
    const store = async (chunk: number): Promise<void> => {
      const encoded = this.encode(spec, chunk, buffer);
      await this.write(encoded);
      await syncFolders(new Set(this.foldersOf(encoded)));
      files[encoded.path] = encoded.sha256;
      buffer = emptyRow(spec.dtype, buffer.length);
    };
    let count = 0;
    for (const row of rows) {
      if (row.length !== width) throw misfit(spec.name, row.length, width);
      buffer.set(row, (count % spec.chunkRows) * width);
      count++;
      if (count % spec.chunkRows === 0) await store(count / spec.chunkRows - 1);
    }
    if (count !== spec.shape[0]) throw misfit(`${spec.name} (rows)`, count, spec.shape[0]!);
    if (count % spec.chunkRows !== 0) await store(Math.floor(count / spec.chunkRows));
    return files;
  }

  /** Takes back the memory of a chunk that is not needed any more. */
  release({ bytes }: EncodedChunk): void {
    this.#memory(bytes.length).give(bytes);
  }

  /** Folders whose entries a new chunk changes: its own, and the one that its own may be new in. */
  foldersOf({ path }: Pick<EncodedChunk, 'path'>): string[] {
    const own = join(this.folder, dirname(this.#fileOf(path)));
    return [own, dirname(own)];
  }

  #memory(length: number): Spares<Uint8Array> {
    const spares = this.#spares.get(length) ?? new Spares<Uint8Array>(() => new Uint8Array(length));
    this.#spares.set(length, spares);
    return spares;
  }
}

/** Makes the names in folders durable. Throws StoreError. */
export async function syncFolders(folders: ReadonlySet<string>): Promise<void> {
  await Promise.all([...folders].map((folder) => syncFolder(folder)));
}

/** The error for numbers, or rows, that are not as many as the manifest says. */
export function misfit(name: string, given: number, expected: number): StoreError {
  return new StoreError({
    given: `${name} has ${given} entries`,
    expected: `${expected}, as the manifest says`,
    remedy: 'hand over what the manifest describes, or make a new run',
  });
}
