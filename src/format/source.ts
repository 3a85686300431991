import { sha256 as sha256Bytes } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { StoreError } from '../errors.js';

/** Bytes [start, end) of a file; an end behind the file's last byte gives what there is. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Where the files of a run are read from: a folder, a server, an archive. */
export interface Source {
  /**
   * The file of that path inside the run folder, or a range of it; undefined where there is no such file. Bytes that take up all of their memory are
   * the caller's own: a source that keeps files hands out copies, or parts of what it keeps.
   */
  get(path: string, range?: ByteRange): Promise<Uint8Array | undefined>;
}

/** SHA-256, hex. */
export type Digest = (bytes: Uint8Array) => string;

/** SHA-256 in JavaScript, for places without a faster one. */
export const sha256: Digest = (bytes) => bytesToHex(sha256Bytes(bytes));

/** A segment's record of small columns that is not the one that was stored: what makes it can be done again. */
export function damagedRecord(path: string, segment: number): StoreError {
  return new StoreError(
    {
      given: `${path} is damaged: segment ${segment} was changed or is missing`,
      expected: 'the bytes that were written',
      remedy:
        'lca resume measures it again, on the machine and version that began the run; or restore the file from a copy',
    },
    { exitCode: 1 },
  );
}

/** A stored file that does not hold what was written. */
export function damaged(path: string, what: string, cause?: unknown): StoreError {
  return new StoreError(
    {
      given: `${path} is damaged: ${what}`,
      expected: 'the bytes that were written',
      remedy: 'run lca verify to see all that is damaged, and restore those files from a copy',
    },
    { exitCode: 1, cause },
  );
}
