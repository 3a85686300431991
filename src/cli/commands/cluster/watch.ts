import type { TasksProgress } from '../../../run/cluster/plan.js';
import { stopOnInterrupt } from '../../interrupt.js';
import { progressBar } from '../../progress.js';

/** Shows how tasks stand until their scheduler has ended them; returns how they stood then. Ctrl-C ends the watching alone. */
export async function watch<P extends TasksProgress>(
  follow: (signal: AbortSignal) => AsyncGenerator<P>,
  quiet: boolean | undefined,
): Promise<P | null> {
  const stop = stopOnInterrupt();
  const progress = progressBar('tasks', 'tasks', quiet);
  let last: P | null = null;
  try {
    for await (const state of follow(stop.signal)) {
      if (last === null) progress.start(state.tasks, state.done);
      last = state;
      progress.update(state.done, `${state.running} running, ${state.waiting} waiting`);
    }
  } finally {
    if (last !== null) progress.stop();
    stop.release();
  }
  return last;
}
