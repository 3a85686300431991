import { Command } from 'commander';
import { reportRun } from '../../run/report.js';
import { openRun } from '../../store/open.js';
import { progressBar } from '../progress.js';
import { printReport } from '../workflow.js';

export function reportCommand(): Command {
  return new Command('report')
    .description('analyse a run and write RUN/report.html, with a summary on standard output')
    .argument('<run>', 'run folder')
    .option('--json', 'print the analysis as one JSON document')
    .option('--quiet', 'no progress')
    .action(async (run: string, options: { json?: boolean; quiet?: boolean }) => {
      const bar = progressBar('analyse', 'segments', options.quiet);
      await printReport(await reportRun(await openRun(run), bar), options);
    });
}
