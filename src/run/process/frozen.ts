import type { Statement } from '../../engines/process/protocol.js';
import { isFloat } from '../../formats/array.js';
import { misfit } from '../../formats/source.js';
import { listed } from '../../trajectory/checks.js';
import { numbersOf } from '../../trajectory/match/values.js';
import { openRecording } from '../../trajectory/open.js';
import { numbersDigest } from '../../trajectory/recorder-folder.js';
import type { RecordingOptions } from '../../trajectory/types.js';

/**
 * Requires that what a program holds frozen is what the training had, as far as the recording at `path` says so: by its digests, or by
 * its first row. Throws DataError where numbers are others.
 */
export async function requireSameFrozen(
  path: string,
  { frozen = [] }: Statement,
  options: RecordingOptions,
): Promise<void> {
  if (frozen.length === 0) return;
  const { recording } = await openRecording(path, options);
  try {
    const digests = new Map(recording.frozen?.map(({ name, sha256 }) => [name, sha256]));
    const others: string[] = [];
    for (const { name, sha256 } of frozen) {
      const dtype = recording.tensors.get(name)?.dtype ?? null;
      const row = dtype !== null && isFloat(dtype) ? (await numbersOf(recording, name, [0]))[0]! : null;
      const known = row === null ? digests.get(name) : numbersDigest(row);
      if (known !== undefined && known !== sha256) others.push(name);
    }
    if (others.length === 0) return;
    throw misfit(
      path,
      `${listed(others)}, which the objective process holds frozen with other numbers than the recording has`,
      'the numbers that the network had while it was recorded',
      'load them in the program (the checkpoint, or the weights that training began with) before it serves',
    );
  } finally {
    await recording.close();
  }
}
