import type { Experiment } from '../experiment/experiment.js';
import type { RunWriter } from '../store/writer.js';
import { beside, checkSegments, RowGate, type SegmentRange, silent } from '../experiment/control.js';
import { storeAccuracy } from '../run/accuracy.js';
import { measureRun } from '../run/measure.js';
import type { Threads } from '../objective/threads.js';
import { reportRun, type Report } from '../run/report.js';
import { trainRun } from '../run/train.js';
import { stopOnInterrupt } from './interrupt.js';
import { printColoured, printJson, printLine, say, terminalStyle } from './output.js';
import { barAfter, progressBar } from './progress.js';

interface WorkflowOptions extends PrintOptions {
  readonly workers?: number | undefined;
  /** Where workers come from and go to. */
  readonly threads: Threads;
  readonly quiet?: boolean | undefined;
  /** False: train only. */
  readonly measure: boolean;
  /** Which segments to measure; the run may stay unfinished. Default all. */
  readonly segments?: SegmentRange | undefined;
  /** Whether the report has the analyses by theme, which may take longer than all else of a short run; default false. */
  readonly themes?: boolean;
}

/** Does what is left of a run, with progress, and closes it: training, measuring, report. */
export function continueRun(experiment: Experiment, run: RunWriter, options: WorkflowOptions): Promise<void> {
  const bar = (label: string, unit: string) => progressBar(label, unit, options.quiet);
  return untilStopped(run, `lca resume ${run.folder}`, async (signal) => {
    if (options.segments !== undefined) checkSegments(options.segments, run.status.iterations);
    const gate = options.measure ? gateOf(experiment, run) : undefined;
    const train = (own: AbortSignal) =>
      trainRun(experiment, run, {
        // The bar of what is measured tells how far a recording that is followed has come.
        progress: experiment.config.follow
          ? silent
          : bar(experiment.recorded ? 'copy' : 'train', experiment.recorded ? 'rows' : 'steps'),
        signal: own,
        stored: (row) => gate?.stored(row),
      });
    const { themes = false, workers, threads, segments } = options;
    const measure = async (after: Promise<void>): Promise<void> => {
      after.catch((error: unknown) => gate?.fail(error));
      if (!options.measure) return after;
      const progress = barAfter(experiment.config.follow ? null : after, bar('measure', 'segments'));
      await measureRun(experiment, run, { workers, threads, segments, after, gate, progress, signal });
    };
    await beside(train, measure, signal);
    if (!options.measure) {
      if (options.json) printJson({ run: run.folder, ...run.status });
      else say(`Trained. Measure it with: lca measure ${run.folder}`);
      return;
    }
    if (!isMeasured(run, options)) return;
    await printReport(await reportBesideAccuracy(experiment, run, { ...options, signal }), options);
    if (!themes && !options.json)
      say(`The paper's analyses by theme: lca report ${run.folder} adds them to the page.`);
  });
}

/**
 * What lets rows through one by one, so that they are measured while others are on their way: of a training, and of a recording that is followed. One
 * that is whole is read to its end first, since it may be refused; and a basis is drawn from all rows.
 */
function gateOf({ config, recorded, basis }: Experiment, run: RunWriter): RowGate | undefined {
  const comesInOrder = basis === null && (recorded === null || config.follow);
  return comesInOrder && !run.status.trained ? new RowGate() : undefined;
}

/** Reports on a run while errors are counted: that is work for the workers, and analysing is none. */
export async function reportBesideAccuracy(
  experiment: Experiment,
  run: RunWriter,
  {
    workers,
    threads,
    quiet,
    themes = false,
    signal,
  }: Pick<WorkflowOptions, 'workers' | 'threads' | 'quiet' | 'themes'> & { readonly signal: AbortSignal },
): Promise<Report> {
  const bars = [
    progressBar('count errors', 'rows', quiet),
    progressBar('analyse', 'segments', quiet),
  ] as const;
  return beside(
    (own) => storeAccuracy(experiment, run, { workers, threads, signal: own, progress: bars[0] }),
    (accuracy) => reportRun(run, { progress: barAfter(accuracy, bars[1]), themes, accuracy }),
    signal,
  );
}

/** Works on a run to its end, or until the user stops it, who is then told what goes on with it; closes the run. */
export async function untilStopped(
  run: RunWriter,
  goesOn: string,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = stopOnInterrupt();
  try {
    await work(stop.signal);
  } catch (error) {
    if (stop.signal.aborted) say(`Stopped at a safe point. Go on with: ${goesOn}`);
    throw error;
  } finally {
    stop.release();
    await run.close();
  }
}

/** Whether all segments are measured; where a range was asked for and some are left, says how many. */
export function isMeasured(run: RunWriter, { json }: PrintOptions): boolean {
  if (run.unmeasured().length === 0) return true;
  const { segments: measured, iterations } = run.status;
  if (json) printJson({ run: run.folder, ...run.status });
  else say(`${measured} of ${iterations} segments are measured. lca resume ${run.folder} does the rest.`);
  return false;
}

interface PrintOptions {
  readonly json?: boolean | undefined;
  readonly allowImbalance?: boolean | undefined;
}

/** Prints what a report found; where the ledger does not balance, the command fails unless the user allows it. */
export async function printReport(report: Report, { json, allowImbalance }: PrintOptions): Promise<void> {
  if (json) printJson(report.analysis);
  else {
    const { terminalSummary } = await import('../figures/index.js');
    printColoured(terminalSummary(report.analysis, terminalStyle()));
    printLine(`\nReport: ${report.path}`);
  }
  if (report.analysis.summary.balance !== 'unbalanced' || allowImbalance) return;
  say('The ledger does not balance: exit status 1 (0 with --allow-imbalance).');
  process.exitCode = 1;
}
