import { Command, InvalidArgumentError } from 'commander';
import type { SweepAnalysis } from '../../../analysis/comparison/sweep.js';
import { readSweep, shippedSweeps } from '../../../run/sweep/file.js';
import { performSweep, type PreparedSweep, prepareSweep, sweepFindings } from '../../../run/sweep/sweep.js';
import { requireResultFolder } from '../../../store/open.js';
import { addConfigFlags, configFlags, trainedKeys } from '../../config-flags.js';
import { stopOnInterrupt } from '../../interrupt.js';
import { printJson, printLine, say } from '../../output.js';
import { bytes, duration, progressBar } from '../../progress.js';
import { parseCount, parsePath } from '../run.js';
import { saveFindings } from './compare.js';

interface SweepOptions extends Readonly<Record<string, unknown>> {
  readonly out: string;
  readonly base?: string;
  readonly seeds?: number[];
  readonly jobs?: number;
  readonly workers?: number;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const help = (): string => `
A sweep file:
  base: mnist-fc-sgd            # preset, run file, or keys of one
  set: { iterations: 220 }      # keys of all runs
  seeds: [1, 2, 3]              # or a number of seeds, from 1 on
  grid:                         # all combinations of its axes; a list of grids
                                # varies them one after the other
    learningRate: [0.02, 0.05]  # a key of run files with its values
    last layer:                 # or values by name, with what each sets
      usual: {}                 # @first, @last: all tensors of that layer
      frozen: { groups: [{ match: '@last', frozen: true }] }

With the package come:
${shippedSweeps()
  .map((name) => `  ${name}\n`)
  .join('')}
--out holds a run in runs/ for each combination and seed, and sweep.json,
cells.csv, runs.csv and figures. What is done there is not done again: the same
command goes on after an interruption, and sweeps with the same --out share
their runs.`;

/** Seeds that commas separate. Throws InvalidArgumentError. */
function parseSeeds(text: string): number[] {
  const entries = text.split(',');
  const seeds = entries.map(Number);
  const isRight = entries.every((entry, index) => /^\s*\d+\s*$/.test(entry) && seeds[index]! < 2 ** 31);
  if (isRight && new Set(seeds).size === seeds.length) return seeds;
  throw new InvalidArgumentError('expected different whole numbers, such as 1,2,3');
}

export function sweepCommand(): Command {
  const command = new Command('sweep')
    .description('run a grid of changed settings over several seeds, and compare layers, losses and shares')
    .argument('<sweep>', 'sweep file (.yaml, .json), or the name of one that the package ships')
    .requiredOption('--out <folder>', 'folder for runs and results; what is done there is not done again', parsePath)
    .option('--base <preset|file>', 'another base: a preset or run file', parsePath)
    .option('--seeds <list>', 'other seeds, such as 1,2,3', parseSeeds)
    .option('--jobs <count>', 'runs at a time (default: one per core, as far as memory allows)', parseCount)
    .option('--workers <count>', 'threads of each run (default: cores shared by the runs)', parseCount)
    .option('--dry-run', 'print the estimate of runs, time, memory and bytes, and stop')
    .option('--json', 'print one JSON document')
    .option('--quiet', 'no progress')
    .addHelpText('after', help);
  return addConfigFlags(command, trainedKeys, 'as base and file say').action(async (given: string, options: SweepOptions) => {
    const { base, seeds } = options;
    await requireResultFolder(options.out);
    const file = await readSweep(given, { base, seeds, keys: configFlags(options) });
    const sweep = await prepareSweep(file, options.out, options);
    if (options.dryRun) printCosts(sweep, options.json === true);
    else await runSweep(sweep, options);
  });
} // prettier-ignore

/** Computes what is left of a sweep, prints and writes its results. */
async function runSweep(sweep: PreparedSweep, { json, quiet, out }: SweepOptions): Promise<void> {
  if (!quiet) say(costsOf(sweep));
  const stop = stopOnInterrupt();
  try {
    const progress = progressBar('sweep', 'segments', quiet);
    const analysis = await performSweep(sweep, { progress, signal: stop.signal, tell: say });
    if (json) printJson(analysis);
    else await printTables(analysis);
    await saveFindings(await sweepFindings(analysis), out);
    sayFailures(analysis);
  } catch (error) {
    if (stop.signal.aborted) say('Stopped at a safe point. The same command goes on.');
    throw error;
  } finally {
    stop.release();
  }
}

async function printTables(analysis: SweepAnalysis): Promise<void> {
  const { sweepTables, tableText } = await import('../../../figures/index.js');
  printLine(sweepTables(analysis).map(tableText).join('\n\n'));
}

/** A sweep of which runs ended early is told with exit status 1. */
function sayFailures({ grids }: SweepAnalysis): void {
  const runs = grids.flatMap(({ cells }) => cells.flatMap((cell) => cell.runs));
  const failed = new Set(runs.filter(({ failure }) => failure !== null).map(({ run }) => run)).size;
  if (failed === 0) return;
  say(`${failed} ${failed === 1 ? 'run' : 'runs'} ended early: exit status 1.`);
  process.exitCode = 1;
}

function costsOf({ estimate }: PreparedSweep): string {
  const { runs, pending, jobs, workers, memory, seconds, bytes: size } = estimate;
  if (pending === 0) return `${runs} runs, all done`;
  const done = pending < runs ? `, ${runs - pending} of them done` : '';
  return `${runs} runs${done}; ${jobs} at a time with ${workers} ${workers === 1 ? 'thread' : 'threads'} each, about ${bytes(memory)} of memory a run; about ${duration(seconds)}, at most ${bytes(size)} on disk`;
}

function printCosts(sweep: PreparedSweep, json: boolean): void {
  if (json) printJson(sweep.estimate);
  else printLine(costsOf(sweep));
}
