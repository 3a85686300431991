import { Command } from 'commander';
import type { RunsCompared } from '../../../analysis/comparison/compare.js';
import { createRun } from '../../../experiment/manifest.js';
import { requireMemory } from '../../../experiment/cost/memory.js';
import { defaultWorkers } from '../../../engines/registry.js';
import { UsageError } from '../../../errors.js';
import { withThreads } from '../../../objective/threads.js';
import { compareFolders, comparisonFindings } from '../../../run/comparisons/compare.js';
import { type ForkChanges, forkedConfig, forkKeys, groupOf } from '../../../run/fork/config.js';
import { forkedExperiment, takeOver } from '../../../run/fork/fork.js';
import { measureRun } from '../../../run/measure.js';
import { trainRun } from '../../../run/train.js';
import type { RunFolder } from '../../../store/folder.js';
import { openRun, refuseExisting, requireResultFolder } from '../../../store/open.js';
import { addConfigFlags, configFlags } from '../../config-flags.js';
import { printJson, printLine, say } from '../../output.js';
import { progressBar } from '../../progress.js';
import { reportBesideAccuracy, untilStopped } from '../../workflow.js';
import { addWorkOptions, parseList, parsePath, type WorkOptions } from '../run.js';
import { parseIteration, printComparison, saveFindings } from './compare.js';

interface ForkOptions extends WorkOptions, Readonly<Record<string, unknown>> {
  readonly at: number;
  readonly out: string;
  readonly changes?: string;
  readonly freeze?: string[];
  readonly group?: string[];
  readonly figures?: string;
  readonly data?: string;
}

const help = `
Training is replayed to iteration K, with all that the optimiser remembers, and
goes on from there with other settings. The new run has all iterations:
segments before K are taken over from the original, the rest is measured, and
both are compared from K on. Its manifest states its origin: digests of the
original's manifest and of θ at K, which a replay must reach bit for bit.

  lca fork my-run --at 400 --freeze 'fc3.*' --out frozen
  lca fork my-run --at 400 --group 'fc3.*:delay=0' --out fresh
  lca fork my-run --at 400 --learning-rate 0.01 --out slow`;

export function forkCommand(): Command {
  const command = new Command('fork')
    .description('go on from iteration K of a run with other settings, measured and compared with the original')
    .argument('<run>', 'run folder')
    .requiredOption('--at <iteration>', 'K: the first step with other settings is that from θ_K', parseIteration)
    .requiredOption('--out <folder>', 'run folder to create', parsePath)
    .option('--freeze <patterns>', 'tensors that stay as they are from K on, such as fc3.*,*.bias', parseList)
    .option('--group <settings...>', 'settings of some tensors from K on: PATTERNS:SETTING=VALUE')
    .option('--changes <file>', 'YAML or JSON file with changed keys, schedule and groups included', parsePath)
    .option('--figures <folder>', 'write the comparison there: JSON, CSV, SVG and PNG', parsePath)
    .option('--data <place>', 'where the data of the run are now, if they were moved')
    .addHelpText('after', help);
  return addConfigFlags(addWorkOptions(command), forkKeys, 'as the run has it').action(fork);
} // prettier-ignore

/** Makes the forked run and compares it with its origin. */
async function fork(folder: string, options: ForkOptions): Promise<void> {
  const { at, out } = options;
  await refuseExisting(out);
  await requireResultFolder(options.figures);
  const changes: ForkChanges = {
    keys: configFlags(Object.fromEntries(Object.entries(options).filter(([key]) => (forkKeys as readonly string[]).includes(key)))),
    file: options.changes ?? null,
    freeze: options.freeze ?? [],
    groups: (options.group ?? []).map(groupOf),
  };
  const origin = await openRun(folder);
  await performFork(folder, origin, changes, options);
  // What goes on where the original ends has no iteration in common with it.
  const compared = at < origin.status.iterations ? await compareFolders([folder, out], at) : null;
  await printFork(folder, compared, options);
  if (options.figures !== undefined && compared !== null) await saveFindings(await comparisonFindings(compared), options.figures);
} // prettier-ignore

/** A fork is compared with its origin from the fork on. */
const notMeasuredBeyond = (folder: string, at: number, segments: number, iterations: number): UsageError =>
  new UsageError({
    given: `--at ${at} of ${folder}, of which ${segments} of ${iterations} segments are measured without a gap`,
    expected: 'a run that is measured beyond the fork, where the two are compared',
    remedy: `measure it with lca resume ${folder}, or fork it earlier`,
  });

async function performFork(
  folder: string,
  origin: RunFolder,
  changes: ForkChanges,
  options: ForkOptions,
): Promise<void> {
  const { at, out, workers, quiet, data } = options;
  const { segments } = await origin.view();
  const config = await forkedConfig(origin, at, changes);
  if (segments <= at && at < origin.status.iterations)
    throw notMeasuredBeyond(folder, at, segments, origin.status.iterations);
  const experiment = await forkedExperiment(origin, config, { data });
  requireMemory(experiment, workers ?? defaultWorkers(experiment.engine));
  if (origin.manifest.components.length > 0 && !quiet) say('Components of updates are left out: settings change in the middle.'); // prettier-ignore
  const bar = (label: string, unit: string) => progressBar(label, unit, quiet);
  const run = await createRun(out, experiment);
  await untilStopped(run, `lca resume ${out}, then lca compare ${folder} ${out} --from ${at}`, (signal) =>
    withThreads(async (threads) => {
      await trainRun(experiment, run, { progress: bar('train', 'steps'), signal });
      await takeOver(origin, run, at, { progress: bar('take over', 'segments'), signal });
      await measureRun(experiment, run, { workers, threads, progress: bar('measure', 'segments'), signal });
      await reportBesideAccuracy(experiment, run, { workers, threads, quiet, signal });
    }),
  );
}

async function printFork(
  origin: string,
  compared: RunsCompared | null,
  { at, out, json }: ForkOptions,
): Promise<void> {
  if (json) {
    const { manifest } = await openRun(out);
    printJson({ run: out, origin, at, forks: manifest.config['forks'], comparison: compared });
    return;
  }
  if (compared === null)
    printLine(`${origin} ends at iteration ${at}, where the fork goes on: nothing to compare.`);
  else await printComparison(compared);
  printLine(`\nReport: ${out}/report.html`);
}
