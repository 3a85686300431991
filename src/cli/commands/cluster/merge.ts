import { Command } from 'commander';
import { arrayExpression } from '../../../format/parts/plan.js';
import { mergeRun, type Merging } from '../../../run/cluster/merge.js';
import { stopOnInterrupt } from '../../interrupt.js';
import { printJson, printLine } from '../../output.js';
import { progressBar } from '../../progress.js';
import { parsePath } from '../run.js';

interface MergeCommandOptions {
  readonly mixed?: boolean;
  readonly json?: boolean;
  readonly scratch?: string;
  readonly quiet?: boolean;
}

export function mergeCommand(): Command {
  return new Command('merge')
    .description('check the parts that workers published and append them to the run; status 1 while something is missing')
    .argument('<run>', 'run folder')
    .option('--mixed', 'take parts of other machines or versions than those planned for')
    .option('--scratch <folder>', 'local disk for what is kept here of a run in an object store (default: the cache folder)', parsePath)
    .option('--json', 'print one JSON document')
    .option('--quiet', 'no progress')
    .action(async (folder: string, { mixed, scratch, json, quiet }: MergeCommandOptions) => {
      const stop = stopOnInterrupt();
      try {
        const merging = await mergeRun(folder, {
          mixed,
          scratch,
          progress: progressBar('merge', 'tasks', quiet),
          signal: stop.signal,
        });
        if (json) printJson({ run: folder, ...merging, missing: arrayExpression(merging.missing) });
        else printMerging(folder, merging);
        if (merging.missing.length > 0) process.exitCode = 1;
      } finally {
        stop.release();
      }
    }); // prettier-ignore
}

function printMerging(folder: string, { merged, missing, refused, segments, iterations }: Merging): void {
  for (const { task, what, aside } of refused) printLine(`BAD  task ${task}: ${what} (moved to ${aside})`);
  if (merged.length > 0) printLine(`merged tasks ${arrayExpression(merged)}`);
  printLine(`${segments} of ${iterations} segments are in the run.`);
  if (missing.length > 0) printLine(`missing: ${arrayExpression(missing)}`);
  else if (segments === iterations) printLine(`Complete. Next: lca report ${folder}`);
  else printLine(`All planned tasks are merged. Plan further ones: lca plan ${folder} --tasks N`);
}
