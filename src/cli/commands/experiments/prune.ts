import { Command, InvalidArgumentError, Option } from 'commander';
import type { PruningAnalysis } from '../../../analysis/use/pruning.js';
import { pruneRun, pruningFindings } from '../../../run/comparisons/prune.js';
import { openRun, requireResultFolder } from '../../../store/open.js';
import { stopOnInterrupt } from '../../interrupt.js';
import { printJson, printLine } from '../../output.js';
import { progressBar } from '../../progress.js';
import { parseCount, parsePath } from '../run.js';
import { saveFindings } from './compare.js';

interface PruneCliOptions {
  readonly to: PruningAnalysis['to'];
  readonly byLayer?: boolean;
  readonly shares: number[];
  readonly draws: number;
  readonly workers?: number;
  readonly data?: string;
  readonly out?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const usualShares = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99];

/** Shares that commas separate, such as 0.5,0.9 or 50%,90%. Throws InvalidArgumentError. */
function parseShares(text: string): number[] {
  const shares = text.split(',').map((entry) => {
    const percent = /^\s*([\d.]+)\s*%\s*$/.exec(entry);
    return percent ? Number(percent[1]) / 100 : entry.trim() === '' ? NaN : Number(entry);
  });
  if (shares.every((share) => share >= 0 && share <= 1)) return shares;
  throw new InvalidArgumentError('expected shares from 0 to 1, such as 0.5,0.9 or 50%,90%');
}

export function pruneCommand(): Command {
  return new Command('prune')
    .description("remove a run's weights by allocation, by magnitude and at random, and see what is left of accuracy and loss")
    .argument('<run>', 'run folder, with allocations of single parameters')
    .addOption(new Option('--to <value>', 'what a removed weight becomes: zero, or what it started as').choices(['zero', 'start']).default('zero'))
    .option('--by-layer', 'remove the same share of each layer (default: those that come first in all)')
    .addOption(new Option('--shares <list>', 'shares of the weights to remove').argParser(parseShares).default(usualShares, usualShares.map((share) => `${share * 100}%`).join(',')))
    .option('--draws <count>', 'random orders', parseCount, 5)
    .option('--workers <count>', 'threads that compute (default: one per core)', parseCount)
    .option('--data <place>', 'where the data of the run are now, if they were moved')
    .option('--out <folder>', 'write the record as JSON, the figure as SVG and PNG, and its numbers as CSV there', parsePath)
    .option('--json', 'print one JSON document')
    .option('--quiet', 'no progress')
    .action(prune);
} // prettier-ignore

async function prune(folder: string, options: PruneCliOptions): Promise<void> {
  const { to, byLayer, shares, draws, workers, data, quiet, json, out } = options;
  await requireResultFolder(out);
  const stop = stopOnInterrupt();
  try {
    const analysis = await pruneRun(await openRun(folder), {
      to,
      scope: byLayer ? 'layer' : 'all',
      shares,
      draws,
      workers,
      places: { data },
      progress: progressBar('evaluate', 'networks', quiet),
      signal: stop.signal,
    });
    if (json) printJson(analysis);
    else await printTables(analysis);
    if (out !== undefined) await saveFindings(await pruningFindings(analysis), out);
  } finally {
    stop.release();
  }
}

async function printTables(analysis: PruningAnalysis): Promise<void> {
  const { pruningTables, tableText } = await import('../../../figures/index.js');
  printLine(pruningTables(analysis).map(tableText).join('\n\n'));
}
