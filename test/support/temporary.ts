import { chmodSync, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const memory = '/dev/shm';
const needed = 8 * 2 ** 30;

/**
 * Gives all tests, and what they start, a folder for temporary files, and removes it with all that is left there. It is in memory where there is
 * much of it: most tests wait for a disk otherwise, since all that is stored is synced. What disks do is the torture's matter (test/torture).
 */
export default function setup(): () => void {
  const place = process.env['TMPDIR'] === undefined && isRoomy() ? memory : tmpdir();
  const folder = mkdtempSync(join(place, 'lossledger-'));
  // Tests run commands as users without rights, too.
  chmodSync(folder, 0o1777);
  process.env['TMPDIR'] = folder;
  return () => {
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  };
}

/** Whether there is a file system in memory with enough room, from which compiled code may be loaded. */
function isRoomy(): boolean {
  try {
    const { bavail, bsize } = statfsSync(memory);
    const mount = readFileSync('/proc/mounts', 'utf8').split('\n').find((line) => line.split(' ')[1] === memory); // prettier-ignore
    return bavail * bsize >= needed && mount?.includes('noexec') === false;
  } catch {
    return false;
  }
}
