import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { checkConfig, presetConfig } from '../../experiment/config/file.js';
import type { RunConfigInput } from '../../experiment/config/schema.js';
import { openExperiment, type Experiment } from '../../experiment/experiment.js';
import { createRun } from '../../experiment/manifest.js';
import { withThreads } from '../../objective/threads.js';
import { attempt } from '../../store/files.js';
import { refuseExisting } from '../../store/open.js';
import { addConfigFlags, configFlags } from '../config-flags.js';
import { say } from '../output.js';
import { continueRun } from '../workflow.js';
import { addWorkOptions, parsePath, type WorkOptions } from './run.js';

const preset = 'mnist-fc-sgd';
const whole = { iterations: 120 } as const;
/** What takes about a minute on the reference engine. */
const little = { iterations: 20, subset: 1000 } as const;

interface DemoOptions extends WorkOptions, Readonly<Record<string, unknown>> {
  readonly out?: string;
}

export function demoCommand(): Command {
  const command = new Command('demo')
    .description(`the main job on real MNIST: ${preset}, ${whole.iterations} iterations, all 55,000 examples`)
    .option('--out <folder>', 'run folder to create (default: a new temporary folder)', parsePath);
  return addConfigFlags(addWorkOptions(command), ['iterations', 'subset'], whole).action(
    async (options: DemoOptions) => {
      if (options.out !== undefined) await refuseExisting(options.out);
      const experiment = await openDemo(configFlags(options));
      const out = options.out ?? (await newPlace());
      const { config, dataset, layout } = experiment;
      const examples = dataset.splits.train.count.toLocaleString('en');
      say(
        `Training 784-100-50-10 on MNIST for ${config.iterations} steps, then crediting every change of the`,
      );
      say(`loss over ${examples} training examples to the ${layout.size.toLocaleString('en')} parameters.`);
      say(`The run is stored in ${out}\n`);
      const run = await createRun(out, experiment);
      await withThreads((threads) =>
        continueRun(experiment, run, { ...options, threads, measure: true, themes: true }),
      );
      if (!options.json) say(`Look at it in the browser: npx lca view ${out}`);
    },
  );
}

/** A name in a new temporary folder. */
async function newPlace(): Promise<string> {
  const place = join(tmpdir(), 'lossledger-');
  return join(await attempt(`make a folder below ${tmpdir()}`, () => mkdtemp(place)), 'demo');
}

/** The demo's experiment with what the user asks of it; a small one where only the engine in float64 is there, which would take hours. */
async function openDemo(flags: RunConfigInput): Promise<Experiment> {
  const open = (size: RunConfigInput) =>
    openExperiment(checkConfig({ ...presetConfig(preset), ...size, ...flags }, 'the demo'));
  const experiment = await open(whole);
  if (experiment.engine.facts.precision !== 'float64') return experiment;
  say(
    `No fast engine is here, so the demo is a small one on the ${experiment.engine.name} engine. For more:`,
  );
  for (const reason of experiment.passedOver) say(`  ${reason}`);
  return open(little);
}
