import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { journalName, manifestName } from '../format/context.js';
import { encodeSummary, requireRoom, summaryOf } from '../format/derived/summary.js';
import { openRun, type RunReader } from '../format/reader.js';
import type { ByteRange, Source } from '../format/source.js';
import { sha256 } from '../store/files.js';
import type { FileRoom } from './files.js';

/** A summary that was made, and what of the run's files it was made of. */
interface Made {
  readonly of: string;
  readonly bytes: Promise<Uint8Array>;
}

/** A run elsewhere, and its summary as far as its journal was read. */
interface ReadOn {
  /** SHA-256 of its manifest. */
  readonly manifest: string;
  readonly reader: RunReader;
  readonly bytes: Uint8Array;
}

/** A run to be summarized: in a folder, or elsewhere. */
export interface Summarized {
  readonly folder: string;
  readonly source?: Source;
}

/** Makes the summaries of runs when they are asked for, and keeps each until its run's journal or manifest is another. */
export class Summaries {
  readonly #made = new Map<string, Made>();
  readonly #readOn = new Map<Source, ReadOn>();
  /** Who asks while a run elsewhere is looked at waits for that. */
  readonly #looking = new Map<Source, Promise<Uint8Array>>();

  constructor(readonly room: FileRoom) {}

  /** The summary of a run; null where none can be made: the page finds out itself what is wrong. */
  async of({ folder, source }: Summarized): Promise<Uint8Array | null> {
    try {
      return await (source === undefined ? this.#ofFolder(folder) : this.#ofSource(folder, source));
    } catch {
      return null;
    }
  }

  async #ofFolder(folder: string): Promise<Uint8Array> {
    const of = await stateOf(folder);
    const known = this.#made.get(folder);
    if (known?.of === of) return known.bytes;
    const bytes = this.#make(folder);
    this.#made.set(folder, { of, bytes });
    return bytes;
  }

  /** Whether files elsewhere have changed is not told by their state: the journal is read on from where it ended. */
  #ofSource(place: string, source: Source): Promise<Uint8Array> {
    const looking =
      this.#looking.get(source) ??
      this.#readFurther(place, source).finally(() => this.#looking.delete(source));
    this.#looking.set(source, looking);
    return looking;
  }

  async #readFurther(place: string, source: Source): Promise<Uint8Array> {
    const manifest = await source.get(manifestName);
    const identity = sha256(manifest ?? new Uint8Array(0));
    const known = this.#readOn.get(source);
    // Another run may be there by now, also one whose journal cannot be read on.
    const isChanged = known?.manifest === identity ? await known.reader.refresh().catch(() => null) : null;
    if (isChanged === false) return known!.bytes;
    const reader = isChanged === null ? await open(place, source) : known!.reader;
    const bytes = encodeSummary(await summaryOf(reader));
    this.#readOn.set(source, { manifest: identity, reader, bytes });
    return bytes;
  }

  async #make(folder: string): Promise<Uint8Array> {
    return encodeSummary(await summaryOf(await open(folder, roomSource(this.room, folder))));
  }
}

async function open(place: string, source: Source): Promise<RunReader> {
  requireRoom(await source.get(manifestName));
  return openRun({ place, source, digest: sha256 });
}

/** Changes with every commit to a run. */
async function stateOf(folder: string): Promise<string> {
  const files = await Promise.all([manifestName, journalName].map((name) => stat(join(folder, name))));
  return files.map(({ ino, size, mtimeMs }) => `${ino} ${size} ${mtimeMs}`).join(', ');
}

/** A run folder as requests see it: no link leads out of it. */
function roomSource(room: FileRoom, folder: string): Source {
  return {
    async get(path: string, range?: ByteRange): Promise<Uint8Array | undefined> {
      const file = await room.open(folder, path);
      if (file === null) return undefined;
      try {
        const { start, end } = range ?? { start: 0, end: file.size };
        const bytes = Buffer.alloc(Math.max(0, Math.min(end, file.size) - start));
        const { bytesRead } = await file.handle.read(bytes, 0, bytes.length, start);
        return bytes.subarray(0, bytesRead);
      } finally {
        await room.close(file);
      }
    },
  };
}
