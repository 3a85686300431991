import { Command } from 'commander';
import { reportRun } from '../../../run/report.js';
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
    .option('--json', 'print the analysis as one JSON document')
    .option('--quiet', 'no progress')
    .addOption(allowImbalance())
    .action(async (run: string, options: ReportOptions) => {
      const bar = progressBar('analyse', 'segments', options.quiet);
      const report = await reportRun(await openRun(run), { progress: bar, out: options.out });
      await printReport(report, options);
    });
}

interface ReportOptions {
  readonly out?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly allowImbalance?: boolean;
}
