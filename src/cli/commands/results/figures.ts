import { Command } from 'commander';
import { writeAllFigures } from '../../../run/figure-files.js';
import { analyseAll } from '../../../run/report.js';
import { openRun, requireResultFolder } from '../../../store/open.js';
import { say } from '../../output.js';
import { progressBar } from '../../progress.js';
import { parsePath } from '../run.js';

interface FiguresOptions {
  readonly out: string;
  readonly quiet?: boolean;
}

export function figuresCommand(): Command {
  return new Command('figures')
    .description('draw every figure of a run as SVG and PNG, light and dark')
    .argument('<run>', 'run folder')
    .requiredOption('--out <folder>', 'folder to write NAME.svg, NAME.png, NAME-dark.svg, NAME-dark.png into', parsePath)
    .option('--quiet', 'no progress')
    .action(async (folder: string, options: FiguresOptions) => {
      await requireResultFolder(options.out);
      const bar = progressBar('analyse', 'segments', options.quiet);
      const { analysis, themes } = await analyseAll(await openRun(folder), { progress: bar });
      const { paths, problem } = await writeAllFigures(analysis, themes, options.out);
      if (problem !== null) say(`Figures as SVG only: ${problem}`);
      say(`${paths.length} figure files written to ${options.out}`);
    });
} // prettier-ignore
