import { mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from '../../folders.js';
import { journalName, loadContext, manifestName } from '../../format/context.js';
import { isSharded } from '../../format/layout/arrays.js';
import { readDraft } from '../../format/parts/part.js';
import { chunkPlace, chunksOfShard, shardPath } from '../../format/layout/shards.js';
import { damaged, type Source } from '../../format/source.js';
import { isChunkStored } from '../../format/state.js';
import { locate } from '../../format/verify/finding.js';
import { attempt, folderPlace, makeInside, readIfPresent, sha256, writeDurable } from '../files.js';
import { resumeIn } from '../open.js';
import { contextAt, partFolder } from '../parts/places.js';
import type { Merge, Shelf } from '../parts/shelf.js';
import { scratchOf } from '../scratch.js';
import { draftOf, removeDeadDrafts } from '../temporary.js';
import type { RunWriter } from '../writer.js';
import { decodeIndex } from './packs.js';
import { publishedFiles, refusePart, removeTaskRemotely, tasksThere } from './parts.js';
import { forEach, RemoteRun } from './remote-run.js';

/** Merged parts are sent when so many bytes of them are here. */
const saveBytes = 2 ** 28;

/** Opens a run in an object store to merge parts into it: in a folder here that has what changes of the run. Throws StoreError, UsageError. */
export async function mergeInStore(address: string, scratch?: string): Promise<Merge> {
  const remote = RemoteRun.at(address);
  await loadContext(remote.place());
  const base = join(await scratchOf(scratch, remote.bucket.url, remote.prefix), 'merge');
  await removeDeadDrafts(base, 'tmp');
  const folder = draftOf(base, 'tmp');
  await attempt(`make ${folder}`, () => mkdir(folder));
  try {
    return await RemoteMerge.open(remote, folder);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/**
 * A run in an object store that parts are merged into. New objects are written first, then the journal, whose PUT has the condition that nobody wrote
 * it meanwhile, and is the commit; then what was merged is removed.
 */
class RemoteMerge implements Merge, Shelf {
  readonly shelf: Shelf = this;
  /** What was read of the files that change, with their tags. */
  readonly #known = new Map<string, { sha: string; tag: string }>();
  /** Tasks whose parts are in the run here, but not yet there. */
  #merged: number[] = [];
  /** Tasks of which there is anything. */
  #present: ReadonlySet<number> = new Set();
  #bytes = 0;
  #run: RunWriter | null = null;

  private constructor(
    readonly remote: RemoteRun,
    readonly folder: string,
  ) {}

  static async open(remote: RemoteRun, folder: string): Promise<RemoteMerge> {
    const merge = new RemoteMerge(remote, folder);
    const changing = [...(await remote.list('pending/')), ...(await remote.list('plan/'))];
    await forEach([manifestName, journalName, ...changing], (path) => merge.#pull(path));
    merge.#run = await resumeIn(folder, { ...folderPlace(folder), source: merge.#source() });
    return merge;
  }

  get run(): RunWriter {
    return this.#run!;
  }

  readonly named = (text: string): string => text.replaceAll(this.folder, this.remote.address);

  async published(): Promise<ReadonlySet<number>> {
    const { published, present } = await tasksThere(this.remote);
    this.#present = present;
    return published;
  }

  async fetch(task: number): Promise<string> {
    const part = partFolder(this.folder, task);
    const found = await publishedFiles(this.remote, task);
    const files = [...(found === null ? [] : decodeIndex(found.bytes, `${this.folder}/${found.path}`))];
    const packs = new Set(files.map(([, { pack }]) => pack));
    await attempt(`make ${part}`, () => makeFolder(part));
    for (const pack of packs) {
      const bytes = await this.remote.get(pack);
      if (bytes === undefined) throw damaged(`${this.folder}/${pack}`, 'it is missing');
      this.#bytes += bytes.length;
      for (const [path, own] of files) {
        if (own.pack !== pack) continue;
        await makeInside(part, dirname(path));
        await writeDurable(join(part, path), bytes.subarray(own.offset, own.offset + own.length));
      }
    }
    await this.#pullShards(part);
    return part;
  }

  async merged(task: number): Promise<void> {
    await rm(partFolder(this.folder, task), { recursive: true, force: true });
    if (this.#present.has(task)) this.#merged.push(task);
    if (this.#bytes > saveBytes) await this.save();
  }

  async refuse(task: number): Promise<string> {
    await rm(partFolder(this.folder, task), { recursive: true, force: true });
    return refusePart(this.remote, task);
  }

  async save(): Promise<void> {
    await this.run.flush();
    const chunks = (await this.#filesIn('ledger.zarr')).filter((path) => path.includes('/c/'));
    await forEach(chunks, (path) => this.#send(path));
    const pending = await this.#filesIn('pending');
    for (const path of [...pending, journalName]) await this.#push(path);
    const finished = [...this.#known.keys()].filter((path) => path.startsWith('pending/') && !pending.includes(path)); // prettier-ignore
    await this.remote.remove(finished);
    for (const path of finished) this.#known.delete(path);
    for (const task of this.#merged) await removeTaskRemotely(this.remote, task);
    this.#merged = [];
    this.#bytes = 0;
  }

  async close(): Promise<void> {
    try {
      await this.run.close();
    } finally {
      await rm(this.folder, { recursive: true, force: true });
    }
  }

  /** What is not here is there. */
  #source(): Source {
    const [here, there] = [folderPlace(this.folder).source, this.remote.place().source];
    return { get: async (path, range) => (await here.get(path, range)) ?? there.get(path, range) };
  }

  /** Brings the shards here that a part is going to write rows into. */
  async #pullShards(part: string): Promise<void> {
    const { context } = this.run;
    const own = await readDraft(contextAt(context, part));
    const shards = new Set<string>();
    for (const segment of own?.segments.keys() ?? []) {
      // A segment may complete its window and the one before, and of the last one write what is behind.
      const near = Math.floor(segment / context.windowRows);
      for (const spec of [...context.rowArrays, ...context.windowArrays].filter(isSharded)) {
        const chunks = spec.placement === 'row' ? [segment] : [Math.max(0, near - 1), near, near + 1];
        for (const chunk of chunks) shards.add(shardPath(spec, chunkPlace(spec, chunk).shard));
      }
    }
    await forEach(
      [...shards].filter((path) => !this.#known.has(path)),
      (path) => this.#pull(path),
    );
  }

  /** Sends a chunk of the ledger; it stays here where rows are still to come. */
  async #send(path: string): Promise<void> {
    const located = locate(this.run.context, path);
    if (located === null || !isSharded(located.spec)) await this.remote.put(path, await this.#read(path));
    else {
      await this.#push(path);
      const { spec, chunk: shard } = located;
      if (!chunksOfShard(spec, shard).every((chunk) => isChunkStored(this.run.state, spec, chunk))) return;
    }
    await rm(join(this.folder, path));
  }

  async #pull(path: string): Promise<void> {
    const found = await this.remote.getTagged(path);
    if (found === undefined) return;
    this.#known.set(path, { sha: sha256(found.bytes), tag: found.tag });
    await makeInside(this.folder, dirname(path));
    await writeDurable(join(this.folder, path), found.bytes);
  }

  /** Writes a file that changes, where it did. */
  async #push(path: string): Promise<void> {
    const bytes = await this.#read(path);
    const sha = sha256(bytes);
    const known = this.#known.get(path);
    if (known?.sha === sha) return;
    this.#known.set(path, { sha, tag: await this.remote.replace(path, bytes, known?.tag ?? null) });
  }

  async #read(path: string): Promise<Uint8Array> {
    return (await readIfPresent(join(this.folder, path))) ?? new Uint8Array(0);
  }

  async #filesIn(folder: string): Promise<string[]> {
    const entries = await readdir(join(this.folder, folder), { recursive: true, withFileTypes: true }).catch(
      () => [],
    );
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(this.folder.length + 1));
  }
}
