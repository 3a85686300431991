import { exec } from 'node:child_process';
import { promisify } from 'node:util';
import * as z from 'zod';
import { UsageError } from '../../errors.js';
import { benchGradient, type BenchOptions, type BenchResult } from './gradient.js';
import { median } from '../../experiment/cost/rate.js';

/** What the other command must print as its last line. */
const rateSchema = z.looseObject({
  examplesPerSecond: z.looseObject({ median: z.number().gt(0) }),
});

/** Two measurements of one round, made one after the other. */
export interface Round {
  readonly ours: number;
  readonly theirs: number;
  readonly ratio: number;
}

export interface Comparison extends BenchResult {
  readonly command: string;
  readonly rounds: readonly Round[];
  /** Median over rounds of ours / theirs. */
  readonly ratio: number;
}

/**
 * Measures in turn with another command, so that both meet the same state of a shared machine. The command is run by the shell and
 * must print a JSON line with `examplesPerSecond.median` last.
 */
export async function compareGradient(
  options: BenchOptions,
  command: string,
  rounds: number,
): Promise<Comparison> {
  const results: BenchResult[] = [];
  const made: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    const result = await benchGradient(options);
    const ours = result.examplesPerSecond.median;
    const theirs = await rateOf(command);
    results.push(result);
    made.push({ ours, theirs, ratio: ours / theirs });
  }
  const middle = (numbers: number[]) => median(numbers.sort((a, b) => a - b));
  return {
    ...results[0]!,
    examplesPerSecond: {
      median: middle(made.map(({ ours }) => ours)),
      best: Math.max(...results.map(({ examplesPerSecond }) => examplesPerSecond.best)),
    },
    command,
    rounds: made,
    ratio: middle(made.map(({ ratio }) => ratio)),
  };
}

async function rateOf(command: string): Promise<number> {
  const text = await promisify(exec)(command, { maxBuffer: 2 ** 24 }).then(
    ({ stdout }) => stdout,
    (cause: unknown) => {
      throw notComparable(command, cause instanceof Error ? cause.message.trim() : 'it failed', cause);
    },
  );
  const line = text.trim().split('\n').at(-1) ?? '';
  try {
    return rateSchema.parse(JSON.parse(line)).examplesPerSecond.median;
  } catch (cause) {
    throw notComparable(command, `it printed ${JSON.stringify(line.slice(0, 200))} last`, cause);
  }
}

function notComparable(command: string, what: string, cause: unknown): UsageError {
  return new UsageError(
    {
      given: `--compare ${JSON.stringify(command)}: ${what}`,
      expected: 'a command whose last line is JSON with "examplesPerSecond": {"median": …}',
      remedy: 'run the command by itself and mend it',
    },
    { cause },
  );
}
