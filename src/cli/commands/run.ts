import { Command, InvalidArgumentError, Option } from 'commander';
import { resolveConfig } from '../../experiment/config/file.js';
import { tasksOfExpression } from '../../format/parts/plan.js';
import type { SegmentRange } from '../../experiment/control.js';
import { type ThemeName, themeNames } from '../../analysis/themes/names.js';
import { addConfigFlags, configFlags, trainedKeys } from '../config-flags.js';
import { startRun, type StartOptions } from '../start.js';

export interface WorkOptions {
  readonly workers?: number;
  readonly processes?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly allowImbalance?: boolean;
}

/** Options of every command that computes. */
export function addWorkOptions(command: Command): Command {
  return command
    .option('--workers <count>', 'threads that compute (default: one per core)', parseCount)
    .option('--json', 'print one JSON document on standard output')
    .option('--quiet', 'no progress')
    .addOption(allowImbalance());
}

/** How many processes of an objective process share the work. */
export function addProcesses(command: Command): Command {
  return command.option(
    '--processes <count>',
    'with an objective process: so many of it share the work; the numbers are the same (default: 1)',
    parseCount,
  );
}

/** Which ends a command with status 0 whether or not the ledger balances. */
export function allowImbalance(): Option {
  return new Option('--allow-imbalance', 'exit status 0 even where the ledger does not balance');
}

/** A number of threads or segments. Throws InvalidArgumentError. */
export function parseCount(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0 && value <= 4096) return value;
  throw new InvalidArgumentError('expected a whole number from 1 to 4096');
}

/** A number of tasks. Throws InvalidArgumentError. */
export function parseTasks(text: string): number {
  if (/^\d{1,7}$/.test(text) && Number(text) > 0 && Number(text) <= 1_000_000) return Number(text);
  throw new InvalidArgumentError('expected a whole number from 1 to 1000000');
}

/** Numbers of tasks, such as `3,17-19`. Throws InvalidArgumentError. */
export function parseTaskNumbers(text: string): number[] {
  const tasks = tasksOfExpression(text);
  if (tasks !== null) return tasks;
  throw new InvalidArgumentError('expected numbers of tasks, such as 17 or 3,17-19');
}

/** Segments as `from:to`, the second of them left out. Throws InvalidArgumentError. */
export function parseSegments(text: string): SegmentRange {
  const [from, to, rest] = text.split(':').map((part) => (/^\d+$/.test(part) ? Number(part) : NaN));
  if (rest === undefined && from! < to!) return { from: from!, to: to! };
  throw new InvalidArgumentError('expected the first segment and the one behind the last, such as 100:200');
}

/** Entries that commas separate. */
export function parseList(text: string): string[] {
  return text.split(',');
}

/** Themes that commas separate. Throws InvalidArgumentError. */
export function parseThemes(text: string): ThemeName[] {
  const names = parseList(text);
  if (names.every((name): name is ThemeName => (themeNames as readonly string[]).includes(name)))
    return names;
  throw new InvalidArgumentError(`expected some of ${themeNames.join(', ')}`);
}

/** A path that names something. Throws InvalidArgumentError. */
export function parsePath(text: string): string {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('expected a name');
}

export function runCommand(): Command {
  return startingCommand('run', 'train and measure: the whole job, then a report', true);
}

export function trainCommand(): Command {
  return startingCommand('train', 'train only, storing the trajectory; `lca measure` does the rest', false);
}

function startingCommand(name: string, description: string, measure: boolean): Command {
  const command = new Command(name)
    .description(description)
    .argument('[preset-or-file]', 'preset (lca presets) or run file (.yaml, .json); default: all defaults')
    .requiredOption('--out <folder>', 'run folder to create', parsePath)
    .option('--dry-run', 'print the estimate of time, memory and bytes, and stop');
  return addConfigFlags(addWorkOptions(command), trainedKeys).action(
    async (from: string | undefined, options: StartOptions & Record<string, unknown>) => {
      const config = await resolveConfig({ from, flags: configFlags(options) });
      await startRun(config, options, measure);
    },
  );
}
