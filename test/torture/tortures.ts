import type { Random } from '../support/samples.js';
import { malformedFiles } from './binaries.js';
import { damages } from './damages.js';
import { deepKills } from './deep-kills.js';
import { kills, writers } from './kills.js';
import type { Outcome } from './outcome.js';
import { resignedRuns } from './resigned.js';
import { manySegments } from './segments.js';

/** One kind of ill-treatment. */
export interface Torture {
  /** How often, in full. */
  readonly count: number;
  /** Does it so often, in an empty folder. */
  readonly run: (count: number, random: Random, folder: string) => Promise<Outcome>;
}

export const tortures: readonly Torture[] = [
  { count: 100, run: kills },
  { count: 100, run: deepKills },
  { count: 1000, run: damages },
  { count: 1300, run: resignedRuns },
  { count: 10_000, run: malformedFiles },
  { count: 20, run: writers },
  { count: 100_000, run: manySegments },
];
