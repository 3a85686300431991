import { UsageError } from '../../../errors.js';
import { arrayExpression } from '../../../format/parts/plan.js';
import type { QueuePlace } from '../../../run/cluster/queue/connection.js';
import { followQueue, submitToQueue, type TaskSetAside } from '../../../run/cluster/queue/submit.js';
import { workFromQueue } from '../../../run/cluster/queue/work.js';
import { Interruption, stopOnInterrupt } from '../../interrupt.js';
import { printJson, printLine, say } from '../../output.js';
import { watch } from './watch.js';

/** Exit status of a worker that was told to go and kept what it has: schedulers give its task to another one (Slurm: RequeueExit). */
export const preempted = 75;

/** Where the queue is: an address, or true for that in REDIS_URL. */
export interface QueueOptions {
  readonly redis?: string | true;
  readonly queue?: string;
}

/** Throws UsageError where no address is given. */
function placeOf({ redis, queue }: QueueOptions): QueuePlace {
  const url = typeof redis === 'string' ? redis : process.env['REDIS_URL'];
  if (url !== undefined && url !== '') return { url, queue };
  throw new UsageError({
    given: '--redis without an address, and no REDIS_URL',
    expected: 'redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE], or rediss://… with TLS',
    remedy: 'give one: --redis URL; in REDIS_URL other users of the machine do not see its password',
  });
}

interface SubmitQueueOptions extends QueueOptions {
  readonly json?: boolean | undefined;
  readonly follow?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

/** Puts the tasks of a run that are missing into a queue, and with `follow` watches them. */
export async function submitQueue(folder: string, options: SubmitQueueOptions): Promise<void> {
  const place = placeOf(options);
  const { warning, ...submission } = await submitToQueue(folder, place);
  if (warning !== null) say(`Warning: ${warning}`);
  const { queue, tasks, again } = submission;
  if (options.json) printJson({ run: folder, ...submission });
  else {
    printLine(tasks === '' ? `queue ${queue}: no task is missing` : `queue ${queue}: tasks ${tasks}`);
    if (again !== '') printLine(`tried again, which had been set aside: ${again}`);
  }
  if (!options.follow) return;
  const last = await watch((signal) => followQueue(folder, place, signal), options.quiet);
  sayAside(last?.aside ?? []);
  const left = last === null ? 0 : last.tasks - last.done;
  if (left === 0) say(`All tasks are measured. Next: lca merge ${folder}`);
  else {
    say(`${left} tasks are not measured; lca submit puts them into the queue again.`);
    process.exitCode = 1;
  }
}

interface WorkQueueOptions extends QueueOptions {
  /** Further options of `lca work`, for each task. */
  readonly work: readonly string[];
}

/** Measures tasks of a queue until it has none. */
export async function workQueue(folder: string, options: WorkQueueOptions): Promise<void> {
  const stop = stopOnInterrupt();
  try {
    const place = placeOf(options);
    const { done, aside, missing, end } = await workFromQueue(folder, place, { options: options.work, signal: stop.signal, say }); // prettier-ignore
    if (end === 'empty') {
      sayAside(aside);
      say(`No task is left in the queue; ${done.length} were done here.`);
      if (missing.length > 0) say(`Not measured: ${arrayExpression(missing)}; lca submit puts them into the queue.`); // prettier-ignore
    } else if (end === 'failing') say('Two tasks in a row failed here: this worker ends, others go on.');
    const status = { empty: missing.length > 0 ? 1 : 0, failing: 1, refused: 2, told: preempted };
    process.exitCode = status[end];
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    const reason: unknown = stop.signal.reason;
    if (!(reason instanceof Interruption) || reason.signal !== 'SIGTERM') throw error;
    process.exitCode = preempted;
  } finally {
    stop.release();
  }
}

function sayAside(aside: readonly TaskSetAside[]): void {
  for (const { task, what } of aside) say(`BAD  task ${task} is set aside: ${what}`);
}
