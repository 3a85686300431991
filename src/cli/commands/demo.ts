import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { checkConfig, presetConfig } from '../../experiment/config/file.js';
import { openExperiment } from '../../experiment/experiment.js';
import { manifestOf } from '../../experiment/manifest.js';
import { createRun } from '../../store/open.js';
import { say } from '../output.js';
import { continueRun } from '../workflow.js';
import { addWorkOptions, type WorkOptions } from './run.js';

const preset = 'mnist-fc-sgd';
const iterations = 120;

interface DemoOptions extends WorkOptions {
  readonly out?: string;
}

export function demoCommand(): Command {
  const command = new Command('demo')
    .description(`the main job on real MNIST: ${preset}, ${iterations} iterations, all 55,000 examples`)
    .option('--out <folder>', 'run folder to create (default: a new temporary folder)');
  return addWorkOptions(command).action(async (options: DemoOptions) => {
    const config = checkConfig({ ...presetConfig(preset), iterations }, 'the demo');
    const experiment = await openExperiment(config);
    const out = options.out ?? join(await mkdtemp(join(tmpdir(), 'lossledger-')), 'demo');
    say(
      `Training 784-100-50-10 on MNIST for ${iterations} steps, then crediting every change of the loss over all`,
    );
    say(`55,000 training examples to the 84,060 parameters. The run is stored in ${out}\n`);
    const run = await createRun(out, manifestOf(experiment), experiment.network.attachments);
    await continueRun(experiment, run, { ...options, measure: true });
  });
}
