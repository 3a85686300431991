import { arraysOf, bytesOf, widthOf } from './arrays.js';
import type { ManifestContent } from './manifest.js';

/** Characters of the journal for a row of θ, for a segment, and for each checksum in it. */
const journalBytes = { row: 90, segment: 330, checksum: 67 };

/** Bytes of a finished run folder: an upper estimate for `--dry-run`. */
export function estimateBytes(manifest: ManifestContent): number {
  const arrays = arraysOf(manifest);
  const stored = arrays.reduce(
    (total, spec) => total + spec.shape[0]! * widthOf(spec) * bytesOf[spec.dtype],
    0,
  );
  const rowArrays = arrays.filter(({ placement }) => placement === 'row').length;
  const { row, segment, checksum } = journalBytes;
  return stored + manifest.trajectory.iterations * (row + segment + rowArrays * checksum);
}
