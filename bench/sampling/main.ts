import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { halfWidth, standardErrors } from '../../src/analysis/sampling.js';
import { UsageError } from '../../src/errors.js';
import { resolveConfig } from '../../src/experiment/config/file.js';
import type { RunConfig } from '../../src/experiment/config/schema.js';
import { openExperiment } from '../../src/experiment/experiment.js';
import { createRun } from '../../src/experiment/manifest.js';
import { sampleBlocksOf } from '../../src/format/manifest.js';
import { measureRun } from '../../src/run/measure.js';
import { sizeSample } from '../../src/run/pilot.js';
import { trainRun } from '../../src/run/train.js';
import type { RunFolder } from '../../src/store/folder.js';
import { openRun } from '../../src/store/open.js';

/*
 * npm run bench:sampling -- mnist-lenet-sgd --iterations 20 --error 0.05
 *
 * Measures the same training on a sample that `--sample auto` sizes and on all examples: how much faster the sample is, its pilot included, and
 * how many totals of a layer in a segment, measured on all, lie in its 95 % intervals.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    iterations: { type: 'string', default: '20' },
    error: { type: 'string', default: '0.05' },
    subset: { type: 'string' },
    workers: { type: 'string' },
  },
});
const workers = values.workers === undefined ? undefined : Number(values.workers);
const flags = {
  iterations: Number(values.iterations),
  error: Number(values.error),
  measure: ['train'],
  keep: 'layers' as const,
  ...(values.subset === undefined ? {} : { subset: Number(values.subset) }),
};
const base = await resolveConfig({ from: positionals[0] ?? 'mnist-lenet-sgd', flags });
const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** Seconds that something took, by the clock and of all processors, which other programs on the machine disturb less. */
interface Took {
  readonly clock: number;
  readonly processors: number;
}

/** Says what has been taken since. */
function stopwatch(): () => Took {
  const [began, used] = [performance.now(), process.cpuUsage()];
  return () => {
    const { user, system } = process.cpuUsage(used);
    return { clock: (performance.now() - began) / 1000, processors: (user + system) / 1e6 };
  };
}

/** Trains and measures into a folder; what measuring took. */
async function measured(config: RunConfig, folder: string): Promise<Took> {
  const experiment = await openExperiment(config);
  const run = await createRun(folder, experiment);
  try {
    await trainRun(experiment, run);
    const took = stopwatch();
    await measureRun(experiment, run, { workers });
    return took();
  } finally {
    await run.close();
  }
}

/** Sums of a segment by layer [layers], or of the parts by layer [parts, layers]. */
async function rowOf(run: RunFolder, array: string, segment: number): Promise<Float64Array> {
  return Float64Array.from(await run.rowReader()(`${array}/train`, segment));
}

/** Of all totals of a layer in a segment, how many lie in the sample's intervals. */
async function coverage(sampled: RunFolder, whole: RunFolder): Promise<{ covered: number; of: number }> {
  const [objective] = sampled.manifest.objectives;
  const blocks = sampleBlocksOf(objective!, null)!;
  let [covered, of] = [0, 0];
  for (let segment = 0; segment < base.iterations; segment++) {
    const exact = await rowOf(whole, 'layer_sums', segment);
    const estimate = await rowOf(sampled, 'layer_sums', segment);
    const errors = standardErrors(await rowOf(sampled, 'part_layer_sums', segment), exact.length, blocks);
    for (let layer = 0; layer < exact.length; layer++) {
      covered += Number(Math.abs(estimate[layer]! - exact[layer]!) <= halfWidth(errors[layer]!));
      of++;
    }
  }
  return { covered, of };
}

const folder = mkdtempSync(join(tmpdir(), 'lossledger-sampling-'));
try {
  const piloting = stopwatch();
  const { config, note } = await sizeSample({ ...base, sample: 'auto' }, workers);
  const pilot = piloting();
  print(note ?? '');
  if (config.sample === null) {
    throw new UsageError({ given: 'a set of which all is measured', expected: 'one that is sampled', remedy: 'allow a larger --error, or take more examples' }); // prettier-ignore
  }
  const [sampled, whole] = [join(folder, 'sampled'), join(folder, 'whole')];
  const short = await measured(config, sampled);
  const long = await measured({ ...base, sample: null }, whole);
  const { covered, of } = await coverage(await openRun(sampled), await openRun(whole));
  for (const by of ['clock', 'processors'] as const) {
    const times = (less: number) => (long[by] / less).toFixed(1);
    print(`by ${by}: pilot ${pilot[by].toFixed(1)} s, sample ${short[by].toFixed(1)} s, all ${long[by].toFixed(1)} s: ${times(short[by])} times as fast, ${times(short[by] + pilot[by])} with the pilot`); // prettier-ignore
  }
  print(`${covered} of ${of} totals of a layer in a segment lie in their intervals`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
