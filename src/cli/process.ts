import { checkConfig } from '../experiment/config/file.js';
import type { RunConfig } from '../experiment/config/schema.js';
import { checkSegments, silent } from '../experiment/control.js';
import type { Places } from '../experiment/places.js';
import { createProcessRun, measureProcess, openProcess, requireSameStatement, type ProcessExperiment } from '../run/process/process.js'; // prettier-ignore
import { reportRun } from '../run/report.js';
import { refuseExisting } from '../store/open.js';
import type { RunWriter } from '../store/writer.js';
import { progressBar } from './progress.js';
import { sayReadings, type StartOptions } from './start.js';
import { isMeasured, printReport, untilStopped } from './workflow.js';

type Options = Pick<StartOptions, 'json' | 'quiet' | 'allowImbalance' | 'processes' | 'segments'>;

/** Makes a run of a recorded trajectory and a program that computes losses, and measures it. */
export async function startProcess(config: RunConfig, options: StartOptions): Promise<void> {
  await refuseExisting(options.out);
  const experiment = await openProcess(config, options.processes);
  try {
    sayReadings(experiment.readings, options.quiet);
    if (options.segments !== undefined) checkSegments(options.segments, experiment.recorded.iterations);
    await finish(experiment, await createProcessRun(options.out, experiment), options);
  } finally {
    experiment.program.close();
  }
}

/** Goes on with such a run, its trajectory at `places`. */
export async function continueProcess(run: RunWriter, options: Options & Places): Promise<void> {
  const { trajectory } = options;
  try {
    const stored = checkConfig(run.manifest.config, 'the manifest');
    const experiment = await openProcess({ ...stored, ...(trajectory === undefined ? {} : { trajectory }) }, options.processes); // prettier-ignore
    try {
      requireSameStatement(experiment, run.manifest);
      await finish(experiment, run, options);
    } finally {
      experiment.program.close();
    }
  } finally {
    await run.close();
  }
}

function finish(experiment: ProcessExperiment, run: RunWriter, options: Options): Promise<void> {
  const bar = (label: string, unit: string) => progressBar(label, unit, options.quiet);
  return untilStopped(run, `lca resume ${run.folder}`, async (signal) => {
    await measureProcess(experiment, run, {
      copying: { progress: experiment.config.follow ? silent : bar('copy', 'rows'), signal },
      measuring: { progress: bar('measure', 'segments'), signal },
      segments: options.segments,
    });
    if (!isMeasured(run, options)) return;
    await printReport(await reportRun(run, { progress: bar('analyse', 'segments') }), options);
  });
}
