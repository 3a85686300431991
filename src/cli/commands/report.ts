import { Command } from 'commander';
import { openRunFolder } from '../../run/folder.js';
import { reportRun } from '../../run/report.js';
import { progressBar } from '../progress.js';
import { printReport } from '../workflow.js';

export function reportCommand(): Command {
  return new Command('report')
    .description('analyse a run and write RUN/report.html, with a summary on standard output')
    .argument('<run>', 'run folder')
    .option('--json', 'print the analysis as one JSON document')
    .option('--quiet', 'no progress')
    .action(async (run: string, options: { json?: boolean; quiet?: boolean }) => {
      const folder = await openRunFolder(run, { write: false });
      try {
        const bar = progressBar('analyse', 'segments', !options.quiet && process.stderr.isTTY);
        printReport(await reportRun(folder, bar), options);
      } finally {
        await folder.close();
      }
    });
}
