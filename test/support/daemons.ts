import { spawnSync } from 'node:child_process';

/** Why daemons cannot be started here for tests, which is also said once; null where they can. `packages`: what has the programs, on Debian; `who` may start them. */
export function obstacleTo(
  what: string,
  programs: readonly string[],
  packages: string,
  who: 'root' | 'all' = 'root',
): string | null {
  const missing = programs.filter((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0);
  const reason =
    who === 'root' && process.getuid?.() !== 0
      ? `only root may start the daemons of ${what}`
      : missing.length > 0
        ? `${missing.join(', ')} not installed (apt-get install ${packages})`
        : null;
  if (reason !== null) console.warn(`The tests on a real ${what} are skipped: ${reason}`);
  return reason;
}
