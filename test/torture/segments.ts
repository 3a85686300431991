import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import type { Random } from '../support/samples.js';
import type { Outcome } from './outcome.js';

const child = resolve(import.meta.dirname, 'segments-child.ts');

/** MiB that a process may hold that writes, reads and verifies a run of any number of segments. */
const bound = 400;

/** A run of many segments is written, verified and looked at in bounded memory, by a process of its own. */
export function manySegments(count: number, _: Random, folder: string): Promise<Outcome> {
  const args = ['--import', 'tsx', child, join(folder, 'run'), String(count)];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  const memory = Number(/^(\d+) MiB$/m.exec(stdout)?.[1] ?? NaN);
  const held = status === 0 && memory <= bound;
  return Promise.resolve({
    what: 'segments of one run, in bounded memory',
    tried: count,
    failures: held ? [] : [`status ${status}, ${memory} MiB: ${stderr}`],
    note: `${memory} MiB at most`,
  });
}
