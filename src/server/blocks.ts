import { pyramidPaths } from '../format/derived/pyramid.js';
import type { FileRoom } from './files.js';

/** A range of bytes of each of the first blocks of curves of an objective: a weight's curve in one answer, for which files would take many. */
export interface JoinedBlocks {
  /** Place of the run among those that are served. */
  readonly run: number;
  readonly objective: string;
  readonly blocks: number;
  /** First byte of each block, and the one behind the last. */
  readonly start: number;
  readonly end: number;
}

/** `pyramidPaths.joined` of a run, which is no file. */
const joined = /^runs\/(\d{1,4})\/blocks\/([^/]+)\/(\d{1,6})\/(\d{1,13})-(\d{1,13})$/;

/** An answer's bytes at most: curves are far shorter. */
const mostBytes = 2 ** 22;

/** What a path asks for; null where it is none of that kind, or asks for more than a curve. */
export function joinedBlocksOf(path: string): JoinedBlocks | null {
  const [, run, objective, blocks, start, end] = joined.exec(path) ?? [];
  if (objective === undefined) return null;
  const asked = {
    run: Number(run),
    objective,
    blocks: Number(blocks),
    start: Number(start),
    end: Number(end),
  };
  const bytes = asked.blocks * (asked.end - asked.start);
  return bytes > 0 && bytes <= mostBytes ? asked : null;
}

/** The bytes, block after block; null where a block is missing or shorter. */
export async function readBlocks(
  room: FileRoom,
  folder: string,
  { objective, blocks, start, end }: JoinedBlocks,
): Promise<Uint8Array | null> {
  const size = end - start;
  const bytes = new Uint8Array(blocks * size);
  const read = async (block: number): Promise<boolean> => {
    const file = await room.open(folder, pyramidPaths.curves(objective, block));
    if (file === null) return false;
    try {
      const { bytesRead } = await file.handle.read(bytes, block * size, size, start);
      return bytesRead === size;
    } finally {
      await room.close(file);
    }
  };
  const all = await Promise.all(Array.from({ length: blocks }, (_, block) => read(block)));
  return all.every(Boolean) ? bytes : null;
}
