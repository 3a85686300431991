import { Command } from 'commander';
import { type ThemeName, themeNames } from '../../../analysis/themes/names.js';
import { type AnalysedRuns, analyzeRuns, writeAnalyses } from '../../../run/analyze.js';
import { requireResultFolder } from '../../../store/open.js';
import { printJson, printLine, say } from '../../output.js';
import { progressBar } from '../../progress.js';
import { parsePath, parseThemes } from '../run.js';

interface AnalyzeOptions {
  readonly only?: ThemeName[];
  readonly out?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const help = `
Themes:
  noise         who helps and hurts, how often; against coins and walks
  tails         distributions of single allocations; how few carry the change
  oscillation   how often weights turn round
  layers        totals by layer; of several runs means, intervals and t-tests
  synchrony     moments of learning of all layers; against shifted layers
  neurons       correlation of neighbours, classes that neurons serve, conflicts
  trajectories  first order against converged, neurons and parameters over time
  use           layers that may be frozen, layers and parameters that overfit

docs/ANALYSES.md defines every number.`;

export function analyzeCommand(): Command {
  return new Command('analyze')
    .description(
      "the paper's analyses of a run with null models, as tables; of several runs, their layers together",
    )
    .argument('<runs...>', 'run folders')
    .option('--only <themes>', `some of ${themeNames.join(', ')}`, parseThemes)
    .option('--out <folder>', 'write records as JSON and the numbers of every figure as CSV there', parsePath)
    .option('--json', 'print one JSON document')
    .option('--quiet', 'no progress')
    .addHelpText('after', help)
    .action(async (folders: string[], options: AnalyzeOptions) => {
      await requireResultFolder(options.out);
      const bar = (run: string) => progressBar(`analyse ${run}`, '%', options.quiet);
      const found = await analyzeRuns(folders, bar, options.only);
      if (options.json) printJson(found);
      else await printTables(found);
      if (options.out === undefined) return;
      const paths = await writeAnalyses(found, options.out);
      say(`${paths.length} files written to ${options.out}`);
    });
}

/** One run in full; several side by side. */
async function printTables({ runs, layersOverRuns }: AnalysedRuns): Promise<void> {
  const { layersOverRunsTable, overviewTable, tableText, themesText } =
    await import('../../../figures/index.js');
  const [first] = runs;
  if (runs.length === 1) {
    printLine(themesText(first!.analyses));
    return;
  }
  printLine(tableText(overviewTable(runs)));
  if (layersOverRuns !== null) {
    printLine(`\n${tableText(layersOverRunsTable(layersOverRuns, first!.analyses.unit))}`);
  }
}
