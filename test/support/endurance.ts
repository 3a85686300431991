import { isLossledgerError } from '../../src/errors.js';
import { randomFrom, type Random } from './samples.js';

/** Bytes by which no damaged file may make the process grow; one that never ends fails by the test's time limit. */
export const memoryBound = 512 * 2 ** 20;

/** What became of many damaged files. */
export interface Endurance {
  readonly read: number;
  /** Refused with an error of this project, exit code 2. */
  readonly refused: number;
  /** Anything else that was thrown: the first few, with the run that made them. */
  readonly crashes: readonly string[];
  /** Bytes by which the process's resident size grew at most. */
  readonly growth: number;
}

/** Reads `runs` damaged files, each made from its own random numbers, and keeps account. */
export async function endure(
  runs: number,
  seed: number,
  read: (random: Random, run: number) => Promise<void> | void,
): Promise<Endurance> {
  const before = process.memoryUsage.rss();
  let most = before;
  const counts = { read: 0, refused: 0 };
  const crashes: string[] = [];
  for (let run = 0; run < runs; run++) {
    try {
      await read(randomFrom(seed * 1_000_003 + run), run);
      counts.read++;
    } catch (error) {
      if (isLossledgerError(error) && error.exitCode === 2) counts.refused++;
      else if (crashes.length < 5) crashes.push(`run ${run}: ${error instanceof Error ? error.stack! : String(error)}`); // prettier-ignore
    }
    most = Math.max(most, process.memoryUsage.rss());
  }
  return { ...counts, crashes, growth: most - before };
}
