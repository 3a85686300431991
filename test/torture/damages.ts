import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { verifyRun } from '../../src/format/verify/verify.js';
import { folderPlace } from '../../src/store/files.js';
import { filesBelow } from '../support/cli.js';
import { below, mutated, pick } from '../support/mutate.js';
import type { Random } from '../support/samples.js';
import { completeRun, type Outcome } from './outcome.js';

/** Damages one file of a run at a time: a bit, a byte, a part, its end, the whole; `lca verify` must name it. */
export async function damages(count: number, random: Random, folder: string): Promise<Outcome> {
  const good = join(folder, 'good');
  await completeRun(good);
  const files = filesBelow(good).map((path) => relative(good, path));
  const failures: string[] = [];
  const run = join(folder, 'run');
  cpSync(good, run, { recursive: true });
  for (let k = 0; k < count; k++) {
    const file = pick(random, files);
    const path = join(run, file);
    const whole = readFileSync(path);
    const bytes = damaged(whole, random);
    if (bytes === null) rmSync(path);
    else writeFileSync(path, bytes);
    const isSame = bytes !== null && whole.equals(bytes);
    const named = await verifyRun(folderPlace(run)).then(
      (findings) => findings.map((finding) => finding.file),
      (error: unknown) => [String(error)],
    );
    if (!isSame && !named.some((name) => name.includes(file)))
      failures.push(`${file}: ${named.join() || 'sound'}`);
    writeFileSync(path, whole);
  }
  return { what: 'damages of a file of a run; verify names the file', tried: count, failures };
}

function damaged(whole: Uint8Array, random: Random): Uint8Array | null {
  if (below(random, 20) === 0) return null;
  if (below(random, 3) === 0) return mutated(whole, random);
  const bytes = Uint8Array.from(whole);
  bytes[below(random, bytes.length)]! ^= 1 << below(random, 8);
  return bytes;
}
