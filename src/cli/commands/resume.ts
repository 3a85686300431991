import { Command } from 'commander';
import { experimentOf } from '../../run/manifest.js';
import { resumeRun } from '../../store/open.js';
import { continueRun } from '../workflow.js';
import { addWorkOptions, type WorkOptions } from './run.js';

export function resumeCommand(): Command {
  return continuingCommand(
    'resume',
    'go on with a run that was interrupted; it ends as if it had never stopped',
  );
}

/** A command that opens an existing run and does what is left of it. */
export function continuingCommand(name: string, description: string): Command {
  const command = new Command(name).description(description).argument('<run>', 'run folder');
  return addWorkOptions(command).action(async (run: string, options: WorkOptions) => {
    const folder = await resumeRun(run);
    const experiment = await experimentOf(folder.manifest).catch(async (error: unknown) => {
      await folder.close();
      throw error;
    });
    await continueRun(experiment, folder, { ...options, measure: true });
  });
}
