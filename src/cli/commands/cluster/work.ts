import { Command, Option } from 'commander';
import { UsageError } from '../../../errors.js';
import { arrayExpression } from '../../../format/parts/plan.js';
import { workOnTasks } from '../../../run/cluster/work.js';
import { Interruption, stopOnInterrupt } from '../../interrupt.js';
import { say } from '../../output.js';
import { progressBar } from '../../progress.js';
import { addProcesses, parseCount, parseList, parsePath, parseTaskNumbers } from '../run.js';
import { preempted, type QueueOptions, workQueue } from './queue.js';

/** Where schedulers say which task of an array a process is. */
const taskVariables = ['SLURM_ARRAY_TASK_ID', 'JOB_COMPLETION_INDEX'] as const;

interface WorkCommandOptions extends QueueOptions {
  readonly task?: number[];
  readonly mixed?: boolean;
  readonly data?: string;
  readonly trajectory?: string;
  readonly measure?: string[];
  readonly workers?: number;
  readonly processes?: number;
  readonly scratch?: string;
  readonly quiet?: boolean;
  /** It is the child of a process that takes tasks from a queue. */
  readonly child?: boolean;
}

export function workCommand(): Command {
  const command = new Command('work')
    .description('measure a task of a plan (lca plan) into a part of its own; may be stopped and started again at any time')
    .argument('<run>', 'run folder')
    .option('--task <number>', 'which task, or several one after the other, such as 3,17-19 (default: $SLURM_ARRAY_TASK_ID or $JOB_COMPLETION_INDEX)', parseTaskNumbers)
    .option('--redis [url]', 'take tasks from a queue in Redis until it has none (lca submit RUN --redis): redis[s]://[USER:PASSWORD@]HOST[:PORT] (default: $REDIS_URL)')
    .option('--queue <name>', 'name of the queue, with --redis (default: from the name of the run)')
    .option('--mixed', 'go on where this machine or version gives other bits than those planned for')
    .option('--data <place>', 'where the data of the run are here')
    .option('--trajectory <place>', 'where the recorded trajectory is here')
    .option('--measure <places>', 'where objectives with files of their own are here: NAME=PLACE,…', parseList)
    .option('--scratch <folder>', 'local disk for what is kept here of a run in an object store (default: the cache folder)', parsePath)
    .option('--workers <count>', 'threads that compute (default: one per core)', parseCount)
    .option('--quiet', 'no progress')
    .addOption(new Option('--child', 'end with the process that started this one').hideHelp()); // prettier-ignore
  return addProcesses(command).action(work);
}

async function work(folder: string, options: WorkCommandOptions): Promise<void> {
  if (options.redis === undefined) return workAlone(folder, options);
  const { redis, queue, task } = options;
  if (task === undefined) return workQueue(folder, { redis, ...(queue === undefined ? {} : { queue }), work: wordsOf(options) }); // prettier-ignore
  throw new UsageError({
    given: '--redis and --task',
    expected: 'tasks of a queue, or one that is named',
    remedy: 'leave out one of the two',
  });
}

/** Options of `lca work` as words, for the process that measures a task of a queue. */
function wordsOf(options: WorkCommandOptions): string[] {
  const { mixed, quiet, data, trajectory, measure, scratch, workers, processes } = options;
  const valued = { data, trajectory, measure: measure?.join(','), scratch, workers, processes };
  return [
    ...(mixed ? ['--mixed'] : []),
    ...(quiet ? ['--quiet'] : []),
    ...Object.entries(valued).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, String(value)])),
  ];
} // prettier-ignore

/** Ends this process, as if it was told to go, when the one is gone that it measures for. */
function endWithParent(): void {
  const end = () => process.kill(process.pid, 'SIGTERM');
  process.once('disconnect', end);
  process.channel?.unref();
  // It may have gone while this one started.
  if (!process.connected) end();
}

async function workAlone(folder: string, options: WorkCommandOptions): Promise<void> {
  if (options.child) endWithParent();
  const left = options.task ?? [taskOfEnvironment()];
  const stop = stopOnInterrupt();
  const { data, trajectory, measure, workers, processes, mixed, scratch, quiet } = options;
  try {
    const outcomes = workOnTasks(folder, [...left], {
      progressOf: (task) => progressBar(`task ${task}`, 'segments', quiet),
      signal: stop.signal,
      workers,
      processes,
      mixed,
      scratch,
      places: { data, trajectory, measure },
    });
    for await (const { task, outcome } of outcomes) {
      say(`Task ${task}: ${outcome}.`);
      left.shift();
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    say(`Task ${left[0]!} stopped after a whole segment; what is measured is kept. Go on with: lca work ${folder} --task ${arrayExpression(left)}`); // prettier-ignore
    const reason: unknown = stop.signal.reason;
    if (!(reason instanceof Interruption) || reason.signal !== 'SIGTERM') throw error;
    process.exitCode = preempted;
  } finally {
    stop.release();
  }
}

/** Throws UsageError where no scheduler says which task this is. */
function taskOfEnvironment(): number {
  for (const name of taskVariables) {
    const text = process.env[name];
    if (text === undefined || text === '') continue;
    if (/^\d{1,7}$/.test(text)) return Number(text);
    throw noTask(`${name}=${text}`);
  }
  throw noTask('no task');
}

function noTask(given: string): UsageError {
  return new UsageError({
    given,
    expected: `the number of a task, by --task or in ${taskVariables.join(' or ')}`,
    remedy: 'add --task I; lca plan RUN lists the tasks',
  });
}
