import { Command } from 'commander';
import { experimentOf } from '../../experiment/manifest.js';
import type { SegmentRange } from '../../experiment/control.js';
import type { Places } from '../../experiment/places.js';
import { withThreads } from '../../objective/threads.js';
import { resumeRun } from '../../store/open.js';
import { lostInWords } from '../../store/window-writer.js';
import { isProcessRun } from '../../run/process/process.js';
import { continueProcess } from '../process.js';
import { say } from '../output.js';
import { continueRun } from '../workflow.js';
import { addProcesses, addWorkOptions, parseList, type WorkOptions } from './run.js';

export function resumeCommand(): Command {
  const command = new Command('resume')
    .description('go on with a run that was interrupted; it ends as if it had never stopped')
    .argument('<run>', 'run folder')
    .option('--data <place>', 'where the data of the run are now, if they were moved')
    .option('--trajectory <place>', 'where the recorded trajectory is now, if it was moved')
    .option(
      '--measure <places>',
      'where objectives with files of their own are now: NAME=PLACE,…',
      parseList,
    );
  return addProcesses(addWorkOptions(command)).action(continueStored);
}

/** Opens an existing run and does what is left of it. */
export async function continueStored(
  run: string,
  options: WorkOptions & Places & { readonly segments?: SegmentRange },
): Promise<void> {
  const folder = await resumeRun(run);
  const lost = lostInWords(folder);
  if (lost !== null) say(lost);
  if (isProcessRun(folder.manifest)) return continueProcess(folder, options);
  const tell = options.quiet ? undefined : say;
  const experiment = await experimentOf(folder, options, undefined, tell).catch(async (error: unknown) => {
    await folder.close();
    throw error;
  });
  await withThreads((threads) => continueRun(experiment, folder, { ...options, threads, measure: true }));
}
