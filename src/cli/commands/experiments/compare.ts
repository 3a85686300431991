import { Command, InvalidArgumentError } from 'commander';
import type { RunsCompared } from '../../../analysis/comparison/compare.js';
import { compareFolders, comparisonFindings } from '../../../run/comparisons/compare.js';
import { writeFindings, type Findings } from '../../../run/figure-files.js';
import { requireResultFolder } from '../../../store/open.js';
import { printJson, printLine, say } from '../../output.js';
import { parsePath } from '../run.js';

interface CompareOptions {
  readonly from?: number;
  readonly out?: string;
  readonly json?: boolean;
}

const help = `
The first run is what the others are compared with. What is compared must be
defined alike: the table says what differs and what it bears on.
  losses    nothing of that objective is compared
  layers    networks differ, so layers are not
  accuracy  numbers differ a little by themselves
  setting   what the comparison is about
Exit status 2 where nothing can be compared.`;

/** An iteration, from 0. Throws InvalidArgumentError. */
export function parseIteration(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('expected a whole number from 0 on');
}

export function compareCommand(): Command {
  return new Command('compare')
    .description('runs side by side at the iterations that all of them have, and whether they can be compared at all')
    .argument('<runs...>', 'run folders, two or more')
    .option('--from <iteration>', 'compare from this iteration on, such as that of a fork (default: the first)', parseIteration)
    .option('--out <folder>', 'write the record as JSON, figures as SVG and PNG, and their numbers as CSV there', parsePath)
    .option('--json', 'print one JSON document')
    .addHelpText('after', help)
    .action(async (folders: string[], options: CompareOptions) => {
      await requireResultFolder(options.out);
      const compared = await compareFolders(folders, options.from);
      if (options.json) printJson(compared);
      else await printComparison(compared);
      if (compared.objectives.length === 0) {
        say('These runs cannot be compared: exit status 2.');
        process.exitCode = 2;
      }
      if (options.out !== undefined) await saveFindings(await comparisonFindings(compared), options.out);
    });
} // prettier-ignore

/** Tables of a comparison: what differs, then numbers. */
export async function printComparison(compared: RunsCompared): Promise<void> {
  const { comparabilityTable, comparisonTables, tableText } = await import('../../../figures/index.js');
  const tables = [comparabilityTable(compared.runs, compared.comparability), ...comparisonTables(compared)];
  printLine(tables.map(tableText).join('\n\n'));
}

/** Writes what a command found, and says how much it is. */
export async function saveFindings(findings: Findings, folder: string): Promise<void> {
  const { paths, problem } = await writeFindings(findings, folder);
  if (problem !== null) say(`Figures as SVG only: ${problem}`);
  say(`${paths.length} files written to ${folder}`);
}
