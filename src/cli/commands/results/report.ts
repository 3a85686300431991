import { Command } from 'commander';
import type { AccuracyFinding } from '../../../analysis/use/accuracy.js';
import { experimentOf } from '../../../experiment/manifest.js';
import { measureAccuracy, storeAccuracy } from '../../../run/accuracy.js';
import { isProcessRun } from '../../../run/process/process.js';
import { reportRun } from '../../../run/report.js';
import type { RunFolder } from '../../../store/folder.js';
import { openRun } from '../../../store/open.js';
import { progressBar } from '../../progress.js';
import { printReport } from '../../workflow.js';
import { allowImbalance, parsePath } from '../run.js';

export function reportCommand(): Command {
  return new Command('report')
    .description('analyse a run and write RUN/report.html, with a summary on standard output')
    .argument('<run>', 'run folder')
    .option(
      '--out <file>',
      'write the page there and leave the run as it is, as one that may only be read',
      parsePath,
    )
    .option('--accuracy', 'count right answers at some rows of theta, where the run has labels that are classes and that was not done')
    .option('--data <place>', 'with --accuracy: where the data of the run are now, if they were moved', parsePath)
    .option('--json', 'print the analysis as one JSON document')
    .option('--quiet', 'no progress')
    .addOption(allowImbalance())
    .action(async (run: string, options: ReportOptions) => {
      const folder = await openRun(run);
      const accuracy = options.accuracy ? await countRight(folder, options) : undefined;
      const bar = progressBar('analyse', 'segments', options.quiet);
      const report = await reportRun(folder, { progress: bar, out: options.out, accuracy });
      await printReport(report, options);
    }); // prettier-ignore
}

/** The accuracy of a run that is there already, which is kept in it unless the run is to stay as it is. */
async function countRight(run: RunFolder, { out, data, quiet }: ReportOptions): Promise<AccuracyFinding | undefined> {
  if (isProcessRun(run.manifest)) return undefined;
  const experiment = await experimentOf(run, { data });
  const progress = progressBar('count errors', 'rows', quiet);
  if (out !== undefined) return measureAccuracy(experiment, run, { progress });
  await storeAccuracy(experiment, run, { progress });
  return undefined;
} // prettier-ignore

interface ReportOptions {
  readonly accuracy?: boolean;
  readonly data?: string;
  readonly out?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly allowImbalance?: boolean;
}
