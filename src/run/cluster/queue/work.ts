import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Job, Worker } from 'bullmq';
import { loadPlan, type Plan } from '../../../format/parts/plan.js';
import { secondsOf } from '../../../num/seconds.js';
import type { RunFolder } from '../../../store/folder.js';
import { openRun } from '../../../store/open.js';
import { requirePlan, taskStates } from '../plan.js';
import { measureInChild } from './child.js';
import { asking, openQueue, type QueuedTask, type QueuePlace, type TaskQueue } from './connection.js';
import { isPlanned, openTasks, setAside, type TaskSetAside, tries } from './submit.js';

/** How a worker took tasks from a queue. */
export interface QueueWork {
  /** Tasks that it did. */
  readonly done: readonly number[];
  /** Tasks of the plan that have no part, and those of them that the queue has given up. */
  readonly missing: readonly number[];
  readonly aside: readonly TaskSetAside[];
  /** Why it ended: none is left; this machine cannot do them (it was said why); two in a row failed here; it was told to go by somebody else. */
  readonly end: 'empty' | 'refused' | 'failing' | 'told';
}

interface QueueWorkControl {
  /** Further options of `lca work`. */
  readonly options: readonly string[];
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

const pollMs = 1_000;
/** Seconds in which a worker that takes a task must be heard of, else another one gets it; `LOSSLEDGER_REDIS_LOCK` says otherwise. */
const lockSeconds = 30;
const lockVariable = 'LOSSLEDGER_REDIS_LOCK';

/**
 * Takes tasks from the queue of a run and measures each, until none waits and none is worked on. A task whose worker ended without a word comes back; one that
 * ended three is set aside.
 *
 * @throws UsageError where there is no plan, EngineError where there is no queue; the signal's reason where that was aborted: then the task waits again.
 */
export async function workFromQueue(
  folder: string,
  place: QueuePlace,
  control: QueueWorkControl,
): Promise<QueueWork> {
  const run = await openRun(folder);
  const plan = await requirePlan(run);
  const lockMs = 1000 * secondsOf(lockVariable, process.env[lockVariable], lockSeconds);
  const queue = await openQueue(run, plan, place);
  if (queue.warning !== null) control.say(`Warning: ${queue.warning}`);
  const worker = queue.takingTasks(lockMs);
  try {
    await asking(() => worker.startStalledCheckTimer());
    const taker = new Taker(run, plan, queue, worker, lockMs, control);
    const end = await taker.takeAll();
    const now = await openRun(folder);
    const planned = await requirePlan(now);
    const states = await taskStates(now, planned);
    const missing = states.flatMap((state, task) => (state === 'missing' ? [task] : []));
    return { done: taker.done, missing, aside: await setAside(queue, planned, states), end };
  } finally {
    await worker.close(true);
    await queue.close();
  }
}

/** One worker at a queue. */
class Taker {
  readonly done: number[] = [];
  /** What shows the queue whose a task is. */
  readonly #token = randomUUID();
  /** Tasks that failed since one was done. */
  readonly #failed = new Set<number>();

  constructor(
    readonly run: RunFolder,
    private plan: Plan,
    readonly queue: TaskQueue,
    readonly worker: Worker<QueuedTask>,
    readonly lockMs: number,
    readonly control: QueueWorkControl,
  ) {}

  async takeAll(): Promise<QueueWork['end']> {
    for (let job = await this.#next(); job !== null; job = await this.#next()) {
      const end = await this.#perform(job);
      if (end !== null) return end;
    }
    return 'empty';
  }

  /** A task, waited for while others are worked on, whose workers may vanish; null where there is none. */
  async #next(): Promise<Job<QueuedTask> | null> {
    for (;;) {
      this.control.signal.throwIfAborted();
      const job = await asking<Job<QueuedTask> | undefined>(() => this.worker.getNextJob(this.#token, { block: false })); // prettier-ignore
      if (job !== undefined) return job;
      const { waiting, running } = await openTasks(this.queue);
      if (waiting + running === 0) return null;
      await sleep(pollMs, undefined, { signal: this.control.signal });
    }
  }

  /** Does a task; returns why this worker ends, null where it goes on. */
  async #perform(job: Job<QueuedTask>): Promise<QueueWork['end'] | null> {
    const { task } = job.data;
    if (!(await this.#isPlanned(job.data))) {
      this.control.say(`Task ${task} of an older plan is left out.`);
      return this.#completed(job);
    }
    const before = job.stalledCounter + job.attemptsMade;
    if (before >= tries) return this.#setAside(job, job.failedReason || 'its worker ended without a word');
    const { status, what } = await this.#measured(job);
    if (status === 0) {
      this.done.push(task);
      this.#failed.clear();
      return this.#completed(job);
    }
    const { signal } = this.control;
    const isTold = signal.aborted || status === 75;
    if (isTold || status === 2) {
      await this.#handBack(() => job.moveToWait(this.#token));
      signal.throwIfAborted();
      return isTold ? 'told' : 'refused';
    }
    this.#failed.add(task);
    if (before + 1 >= tries) await this.#setAside(job, what);
    else await this.#handBack(() => job.moveToFailed(new Error(what), this.#token));
    // A machine whose disk is full would use up the tries of all tasks.
    return this.#failed.size > 1 ? 'failing' : null;
  }

  /** Measures a task, which is this worker's meanwhile. */
  async #measured(job: Job<QueuedTask>): ReturnType<typeof measureInChild> {
    // Where it is lost nevertheless, two work on one task, of whom one publishes.
    const renew = () => void job.extendLock(this.#token, this.lockMs).catch(() => undefined);
    const timer = setInterval(renew, this.lockMs / 3);
    try {
      const { options, signal } = this.control;
      return await measureInChild(this.run.folder, job.data.task, options, signal);
    } finally {
      clearInterval(timer);
    }
  }

  /** Whether a task is in the plan, which may have grown. */
  async #isPlanned(task: QueuedTask): Promise<boolean> {
    if (isPlanned(this.plan, task)) return true;
    this.plan = (await loadPlan(this.run.context)) ?? this.plan;
    return isPlanned(this.plan, task);
  }

  async #completed(job: Job<QueuedTask>): Promise<null> {
    await this.#handBack(() => job.moveToCompleted(null, this.#token, false));
    return null;
  }

  async #setAside(job: Job<QueuedTask>, why: string): Promise<null> {
    const what = `it failed ${tries} times: ${why}`;
    this.control.say(`Task ${job.data.task} is set aside: ${what}`);
    await this.#handBack(() => job.moveToFailed(unrecoverable(what), this.#token));
    return null;
  }

  /** Hands a task back; does nothing where it is another worker's meanwhile, since this one was not heard of. Throws EngineError. */
  async #handBack(move: () => Promise<unknown>): Promise<void> {
    try {
      await asking(move);
    } catch (error) {
      const isOthers = error instanceof Error && 'code' in error && typeof error.code === 'number';
      if (!isOthers) throw error;
    }
  }
}

/** What a queue does not try again; known by its name. */
function unrecoverable(what: string): Error {
  return Object.assign(new Error(what), { name: 'UnrecoverableError' });
}
