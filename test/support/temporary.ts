import { readFileSync, statfsSync } from 'node:fs';

const memory = '/dev/shm';
const needed = 8 * 2 ** 30;

/**
 * Where tests put temporary files: in memory, where there is much of it. Most tests wait for a disk otherwise, since all that is stored is
 * synced. What disks do is the torture's matter (test/torture).
 */
export function quickTemporary(): { readonly TMPDIR?: string } {
  return process.env['TMPDIR'] === undefined && isRoomy() ? { TMPDIR: memory } : {};
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
