import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { loadContext, manifestName, type RunContext } from '../../format/context.js';
import { damaged } from '../../format/source.js';
import { loadState, type RunState } from '../../format/state.js';
import { makeInside, readIfPresent, sha256, writeAtomic } from '../files.js';
import { RunFolder } from '../folder.js';
import type { PartsElsewhere } from '../parts/part-copy.js';
import { scratchOf } from '../scratch.js';
import { isInside, PackSource } from './packs.js';
import { remoteDrafts } from './parts.js';
import { RemotePart } from './remote-part.js';
import { forEach, RemoteRun } from './remote-run.js';

/** A run in an object store, with a folder here for what must be on a disk: files of its network, and drafts of parts. */
export class MirroredRun extends RunFolder {
  private constructor(
    context: RunContext,
    state: RunState,
    readonly remote: RemoteRun,
    /** The folder here. */
    readonly mirror: string,
  ) {
    super(context, state);
  }

  /**
   * Opens a run to measure it, and brings the files of its network here, those that are not here from before.
   *
   * @param scratch The user's folder for such things.
   * @throws StoreError, UsageError.
   */
  static async open(address: string, scratch?: string): Promise<MirroredRun> {
    const remote = RemoteRun.at(address);
    const context = await loadContext(remote.place());
    const { state } = await loadState(context);
    const mirror = await scratchOf(scratch, remote.bucket.url, remote.prefix, state.files.get(manifestName) ?? ''); // prettier-ignore
    const own = new MirroredRun(context, state, remote, mirror);
    const attached = [...state.files].filter(([path]) => path !== manifestName && !path.startsWith('ledger.zarr/') && isInside(path)); // prettier-ignore
    await forEach(attached, ([path, sha]) => own.#fetch(path, sha));
    return own;
  }

  override get folder(): string {
    return this.mirror;
  }

  override get elsewhere(): PartsElsewhere {
    return {
      copyOf: (task, draft) => RemotePart.begin(this.remote, task, draft),
      draftsOf: (task) => this.#draftsOf(task),
    };
  }

  async #draftsOf(task: number): Promise<RunContext[]> {
    const drafts = await remoteDrafts(this.remote, task);
    return drafts.map((files) => {
      const source = new PackSource(this.remote, files);
      return { ...this.context, source, files: source };
    });
  }

  /** Throws StoreError where the file is not the one that the run began with. */
  async #fetch(path: string, sha: string): Promise<void> {
    const target = join(this.mirror, path);
    const kept = await readIfPresent(target);
    if (kept !== null && sha256(kept) === sha) return;
    const bytes = await this.remote.get(path);
    if (bytes === undefined || sha256(bytes) !== sha)
      throw damaged(`${this.remote.address}/${path}`, bytes === undefined ? 'it is missing' : 'its checksum differs'); // prettier-ignore
    await makeInside(this.mirror, dirname(path));
    await rm(target, { force: true });
    await writeAtomic(target, bytes);
  }
}
