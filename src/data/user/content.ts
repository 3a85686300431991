import { createHash } from 'node:crypto';
import type { NdArray } from '../../formats/array.js';
import { sha256 } from '../files.js';

/** Bytes that are hashed in one go: fewer than a hash takes at once. */
const pieceBytes = 2 ** 26;

/**
 * A digest of arrays by what they hold, however they are archived: compressed or not, in whatever order of names, bytes and axes
 * (docs/FORMAT.md). It is of the arrays that were added.
 */
export class ContentDigest {
  readonly #lines = new Map<string, string>();

  /** Adds an array, read as a whole; one of the same name takes its place. */
  add(name: string, { dtype, shape, data }: NdArray): void {
    const hash = createHash('sha256');
    for (let at = 0; at < data.byteLength; at += pieceBytes) {
      const length = Math.min(pieceBytes, data.byteLength - at);
      hash.update(new Uint8Array(data.buffer, data.byteOffset + at, length));
    }
    this.#lines.set(name, JSON.stringify([name, dtype, shape, hash.digest('hex')]));
  }

  /** The digest of what was added, hex; null: nothing was. */
  digest(): string | null {
    if (this.#lines.size === 0) return null;
    const names = [...this.#lines.keys()].sort();
    return sha256(names.map((name) => `${this.#lines.get(name)!}\n`).join(''));
  }
}
