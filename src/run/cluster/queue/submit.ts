import { setTimeout as sleep } from 'node:timers/promises';
import { arrayExpression, type Plan } from '../../../format/parts/plan.js';
import { openRun } from '../../../store/open.js';
import { requirePlan, type TasksProgress, type TaskState, taskStates } from '../plan.js';
import { asking, openQueue, type QueuedTask, type QueuePlace, type TaskQueue } from './connection.js';

/** How often a task is tried. */
export const tries = 3;

/** What is put into a queue. */
export interface QueueSubmission {
  /** Name of the queue. */
  readonly queue: string;
  /** Its tasks now, such as `3,17-19`: those without a part, some of which may have been there before. */
  readonly tasks: string;
  /** Those of them that had been set aside. */
  readonly again: string;
  /** What to say to the user about the server; null: nothing. */
  readonly warning: string | null;
}

/** A task that was given up. */
export interface TaskSetAside {
  readonly task: number;
  readonly what: string;
}

/** How the tasks of a queue stand. */
export interface QueueProgress extends TasksProgress {
  readonly aside: readonly TaskSetAside[];
}

/**
 * Puts the tasks that have no part yet into a queue, those too that were set aside; one that waits there or is worked on stays as it is. Nothing is kept
 * in the queue that plan and parts do not say.
 *
 * @throws UsageError where there is no plan, StoreError where it is of another run, EngineError where there is no queue.
 */
export async function submitToQueue(folder: string, place: QueuePlace): Promise<QueueSubmission> {
  const run = await openRun(folder);
  const plan = await requirePlan(run);
  const states = await taskStates(run, plan);
  const missing = plan.tasks.filter(({ task }) => states[task] === 'missing');
  const { name, queue, warning, close } = await openQueue(run, plan, place);
  try {
    const again: number[] = [];
    for (const job of await asking(() => queue.getFailed())) {
      await asking(() => job.remove());
      if (isPlanned(plan, job.data) && states[job.data.task] === 'missing') again.push(job.data.task);
    }
    const jobs = missing.map(({ task, plan: sha }) => ({
      name: 'task',
      data: { task, plan: sha },
      opts: { jobId: `${sha.slice(0, 16)}-${task}`, attempts: tries, removeOnComplete: true },
    }));
    await asking(() => queue.addBulk(jobs));
    const tasks = arrayExpression(missing.map(({ task }) => task));
    return { queue: name, tasks, again: arrayExpression(again), warning };
  } finally {
    await close();
  }
}

/** Tells how the tasks of a queue stand, every few seconds, until it holds none that waits or is worked on. Throws EngineError where the server is gone. */
export async function* followQueue(
  folder: string,
  place: QueuePlace,
  signal?: AbortSignal,
): AsyncGenerator<QueueProgress> {
  const first = await openRun(folder);
  const queue = await openQueue(first, await requirePlan(first), place);
  try {
    for (;;) {
      signal?.throwIfAborted();
      const { waiting, running } = await openTasks(queue);
      const run = await openRun(folder);
      const plan = await requirePlan(run);
      const states = await taskStates(run, plan);
      const done = states.filter((state) => state !== 'missing').length;
      yield { waiting, running, done, tasks: states.length, aside: await setAside(queue, plan, states) };
      if (waiting + running === 0) return;
      await sleep(pollMs, undefined, { signal });
    }
  } finally {
    await queue.close();
  }
}

const pollMs = 2_000;

/** Whether a task of a queue is one of a plan. */
export function isPlanned({ tasks }: Plan, { task, plan }: QueuedTask): boolean {
  return tasks[task]?.plan === plan;
}

/** How many tasks of a queue wait, and how many are worked on. Throws EngineError. */
export async function openTasks({ queue }: TaskQueue): Promise<{ waiting: number; running: number }> {
  const counts = await asking(() => queue.getJobCounts('active', 'wait', 'delayed', 'prioritized'));
  const { active: running = 0, ...others } = counts;
  return { waiting: Object.values(others).reduce((sum, count) => sum + count, 0), running };
}

/** The missing tasks of a plan that a queue has given up, in order. Throws EngineError. */
export async function setAside(
  { queue }: TaskQueue,
  plan: Plan,
  states: readonly TaskState[],
): Promise<TaskSetAside[]> {
  const failed = await asking(() => queue.getFailed());
  const jobs = failed.filter(({ data }) => isPlanned(plan, data) && states[data.task] === 'missing');
  return jobs
    .map(({ data, failedReason }) => ({ task: data.task, what: failedReason }))
    .sort((a, b) => a.task - b.task);
}
