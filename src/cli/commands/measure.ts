import { Command } from 'commander';
import type { ConfigKey } from '../../experiment/config/schema.js';
import { statedConfig } from '../../experiment/config/file.js';
import type { SegmentRange } from '../../experiment/control.js';
import { UsageError } from '../../errors.js';
import { addConfigFlags, configFlags } from '../config-flags.js';
import { startRun, type StartOptions } from '../start.js';
import { startProcess } from '../process.js';
import { continueStored } from './resume.js';
import { addProcesses, addWorkOptions, parsePath, parseSegments } from './run.js';

/** What may be said of measuring a trajectory from elsewhere: all but training. */
const keys: readonly ConfigKey[] = [
  'process', 'processTimeout', 'model', 'trajectory', 'follow', 'checkpointPattern', 'names', 'layout', 'frozen', 'rest', 'ignore', 'data', 'outputs', 'ignoreLabel', 'subset', 'validation', 'divisor', 'standardise', 'loss', 'labelSmoothing', 'classWeights', 'reduction', 'seed',
  'rule', 'tolerance', 'subintervals', 'maxSubintervals', 'certify', 'sample', 'error', 'measure', 'parts', 'keepParts', 'components', 'keepComponents', 'basis', 'chunk', 'lanes', 'keep', 'engine', 'arithmetic', 'name', 'date', 'tags',
]; // prettier-ignore

/** What may be said with a run folder too: where its files are now. */
const places: readonly string[] = ['data', 'trajectory', 'measure'];

/** What says together that a trajectory comes from elsewhere. */
const required = ['model', 'trajectory', 'data', 'out'] as const;

type MeasureOptions = Partial<StartOptions> & { readonly segments?: SegmentRange } & Readonly<Record<string, unknown>>; // prettier-ignore

export function measureCommand(): Command {
  const command = new Command('measure')
    .description('measure what `lca train` stored, or a model and a trajectory from elsewhere')
    .argument('[run]', 'run folder of `lca train`; left out with --model, --trajectory, --data and --out')
    .option('--out <folder>', 'run folder to create for a trajectory from elsewhere', parsePath)
    .option(
      '--segments <range>',
      'measure only segments, such as 100:200 (200 not among them); lca resume or lca plan go on with the others',
      parseSegments,
    )
    .option('--dry-run', 'print the estimate of time, memory and bytes, and stop');
  return addConfigFlags(addProcesses(addWorkOptions(command)), keys).action(
    async (run: string | undefined, options: MeasureOptions) => {
      if (run !== undefined) return measureStored(run, options);
      const { out } = options;
      if (options['process'] !== undefined) return measureByProcess(options);
      const missing = required.filter((name) => options[name] === undefined);
      if (out === undefined || missing.length > 0) throw incomplete(missing);
      await startRun(statedConfig(configFlags(options)), { ...options, out }, true);
    },
  );
}

async function measureStored(run: string, options: MeasureOptions): Promise<void> {
  const flag = [...keys, 'out', 'dryRun'].find(
    (name) => !places.includes(name) && options[name] !== undefined,
  );
  if (flag === undefined) return continueStored(run, options);
  throw new UsageError({
    given: `run folder ${run} together with ${flag}`,
    expected: 'a run folder alone, which states how it is measured, or no run folder',
    remedy: 'leave out one of the two',
  });
}

/** What a program that computes losses decides, so that it may not be said beside it. */
const decided = ['model', 'data', 'outputs', 'ignoreLabel', 'subset', 'validation', 'divisor', 'standardise', 'loss', 'labelSmoothing', 'classWeights', 'reduction', 'measure', 'chunk', 'lanes', 'engine', 'arithmetic', 'dryRun'] as const; // prettier-ignore

async function measureByProcess(options: MeasureOptions): Promise<void> {
  const { out } = options;
  const stray = decided.find((name) => options[name] !== undefined);
  if (stray !== undefined) {
    throw new UsageError({
      given: `--process together with ${stray}`,
      expected: 'lca measure --process COMMAND --trajectory F --out RUN',
      remedy: `leave out ${stray}: the program says what it measures`,
    });
  }
  if (out === undefined || options['trajectory'] === undefined) {
    throw incomplete([options['trajectory'] === undefined ? 'trajectory' : 'out']);
  }
  await startProcess(statedConfig(configFlags(options)), { ...options, out });
}

function incomplete(missing: readonly string[]): UsageError {
  return new UsageError({
    given: `neither a run folder nor ${missing.map((name) => `--${name}`).join(', ')}`,
    expected: 'lca measure RUN, or lca measure --model M.onnx --trajectory F --data D --out RUN',
    remedy: `name the run folder, or add ${missing.map((name) => `--${name}`).join(', ')}`,
  });
}
