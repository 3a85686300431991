import { arraysOf, bytesOf, widthOf } from './arrays.js';
import type { ManifestContent } from './manifest.js';

/** Characters of a float64 and of a count in the journal, with separators; checksums and names of a file. */
const journalNumber = 22;
const journalCount = 7;
const journalFile = 110;

/** Bytes of a finished run folder, before compression: an upper estimate for `--dry-run`. */
export function estimateBytes(manifest: ManifestContent): number {
  const arrays = arraysOf(manifest);
  const stored = arrays.reduce(
    (total, spec) => total + spec.shape[0]! * widthOf(spec) * bytesOf[spec.dtype],
    0,
  );
  return stored + journalBytes(manifest, arrays.filter(({ chunkRows }) => chunkRows === 1).length);
}

function journalBytes({ layers, splits, trajectory }: ManifestContent, rowFiles: number): number {
  const perSplit = (5 + layers.length) * journalNumber + 3 * layers.length * journalCount;
  return trajectory.iterations * (splits.length * perSplit + rowFiles * journalFile);
}
