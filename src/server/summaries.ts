import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { journalName, manifestName } from '../format/context.js';
import { encodeSummary, requireRoom, summaryOf } from '../format/derived/summary.js';
import { openRun } from '../format/reader.js';
import type { ByteRange, Source } from '../format/source.js';
import { sha256 } from '../store/files.js';
import type { FileRoom } from './files.js';

/** A summary that was made, and what of the run's files it was made of. */
interface Made {
  readonly of: string;
  readonly bytes: Promise<Uint8Array>;
}

/** Makes the summaries of runs when they are asked for, and keeps each until its run's journal or manifest is another. */
export class Summaries {
  readonly #made = new Map<string, Made>();

  constructor(readonly room: FileRoom) {}

  /** The summary of the run in a folder; null where none can be made: the page finds out itself what is wrong. */
  async of(folder: string): Promise<Uint8Array | null> {
    try {
      const of = await stateOf(folder);
      const known = this.#made.get(folder);
      if (known?.of === of) return await known.bytes;
      const bytes = this.#make(folder);
      this.#made.set(folder, { of, bytes });
      return await bytes;
    } catch {
      return null;
    }
  }

  async #make(folder: string): Promise<Uint8Array> {
    const source = roomSource(this.room, folder);
    requireRoom(await source.get(manifestName));
    return encodeSummary(await summaryOf(await openRun({ place: folder, source, digest: sha256 })));
  }
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
