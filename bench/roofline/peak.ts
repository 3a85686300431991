import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import koffi from 'koffi';
import { prelude } from '../../src/engines/native/emit/prelude.js';
import { formatC, lines } from '../../src/engines/native/emit/text.js';
import type { Compiler } from '../../src/engines/native/toolchain/compiler.js';
import { compileLibrary } from '../../src/engines/native/toolchain/compiler.js';
import type { Target } from '../../src/engines/native/toolchain/target.js';

/** The most floating-point operations a second that multiply-adds of the target's vectors reach here. */
export interface Peak {
  /** GFLOP/s of one thread. */
  readonly oneThread: number;
  /** GFLOP/s of two threads together. */
  readonly twoThreads: number;
}

const ROUNDS = 20_000_000;
const SAMPLE_ROUNDS = 1_000_000;
const REPEATS = 5;

/** Sums that do not wait for each other: enough to hide the latency of a multiply-add, and they stay in registers. */
const sumsOf = ({ registers }: Target): number => registers - 6;

/** A C function that does nothing but independent multiply-adds, and returns how many GFLOP/s of processor time it reached. */
export function peakSource(target: Target): string {
  const sums = sumsOf(target);
  const operations = 2 * target.lanes * sums;
  return formatC(`${prelude(target)}
    #include <time.h>
    static double now(void) {
      struct timespec t;
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
      return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
    }
    EXPORT double lossledger_peak(float x, float y, long rounds) {
      const v a = v_set(x), b = v_set(y);
      ${lines(sums, (k) => `v s${k} = v_set(${k}.0f);`)}
      const double start = now();
      for (long n = 0; n < rounds; n++) {
        ${lines(sums, (k) => `s${k} = s${k} * a + b;`)}
      }
      const double seconds = now() - start;
      v all = {0};
      ${lines(sums, (k) => `all += s${k};`)}
      /* depends on the sums, so that they are computed */
      return all[0] == 0.5f ? 0 : ${operations}e-9 * (double)rounds / seconds;
    }`);
}

/** Runs the loop of multiply-adds. */
export interface PeakLoop {
  /** GFLOP/s of processor time of one thread, over some milliseconds, just now. */
  readonly sample: () => number;
  /** The best of several longer times, on one thread and on two at once. */
  readonly measure: () => Promise<Peak>;
}

/** Compiles the loop of multiply-adds. */
export async function peakLoop(compiler: Compiler): Promise<PeakLoop> {
  const folder = await mkdtemp(join(tmpdir(), 'lossledger-peak-'));
  try {
    const [source, library] = [join(folder, 'peak.c'), join(folder, 'peak.so')];
    await writeFile(source, peakSource(compiler.target));
    await compileLibrary(compiler, source, library, 120);
    const peak = koffi.load(library).func('double lossledger_peak(float, float, long)');
    const run = promisify(peak.async) as (x: number, y: number, rounds: number) => Promise<number>;
    const best = async (threads: number): Promise<number> => {
      let most = 0;
      for (let repeat = 0; repeat < REPEATS; repeat++) {
        const rates = await Promise.all(Array.from({ length: threads }, () => run(0.999, 0.001, ROUNDS)));
        most = Math.max(
          most,
          rates.reduce((sum, rate) => sum + rate, 0),
        );
      }
      return most;
    };
    return {
      sample: () => peak(0.999, 0.001, SAMPLE_ROUNDS) as number,
      measure: async () => ({ oneThread: await best(1), twoThreads: await best(2) }),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}
