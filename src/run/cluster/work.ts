import { StoreError, UsageError } from '../../errors.js';
import type { WorkControl } from '../../experiment/control.js';
import { experimentOf } from '../../experiment/manifest.js';
import type { Places } from '../../experiment/places.js';
import { differences } from '../../format/parts/environment.js';
import { loadPlan, type Task } from '../../format/parts/plan.js';
import { headerOf, readDraft } from '../../format/parts/part.js';
import type { RunFolder } from '../../store/folder.js';
import { openRun, openToMeasure } from '../../store/open.js';
import { PartWriter } from '../../store/parts/part-writer.js';
import { contextAt, draftsOf, isPublished, removeDead } from '../../store/parts/places.js';
import { measureRun } from '../measure.js';
import { isProcessRun, measureTaskByProcess } from '../process/process.js';
import { environmentHere, requireSame } from './environment.js';
import { requirePlan } from './plan.js';

/** How a caller watches, stops and spreads the work on a task. */
export interface TaskControl extends WorkControl {
  /** Worker threads; default one per core. */
  readonly workers?: number | undefined;
  /** Of an objective process; default 1. */
  readonly processes?: number | undefined;
  /** Goes on where this machine gives other bits than those that the plan is for. */
  readonly mixed?: boolean | undefined;
  readonly places?: Places | undefined;
  /** Local disk for what is kept here of a run in an object store. */
  readonly scratch?: string | undefined;
}

/** How work on a task ended: its part was published, by this worker or by another one, or was merged before. */
export type WorkOutcome = 'published' | 'published by another worker' | 'merged already';

/**
 * Measures the segments of a task into a part of its own, from what earlier workers left of it, and publishes it. Writes nothing outside the
 * folder of the task.
 *
 * @throws UsageError where the run has no such task, StoreError where this machine is of another kind or the plan changed, AbortError where it was stopped:
 *   then what was measured is kept.
 */
export async function workOnTask(
  folder: string,
  task: number,
  control: TaskControl = {},
): Promise<WorkOutcome> {
  const run = await openToMeasure(folder, control.scratch);
  const plan = await requirePlan(run);
  const own = plan.tasks[task];
  if (own === undefined) throw noSuchTask(run, task, plan.tasks.length);
  const environment = await environmentHere(run.manifest);
  if (!control.mixed) requireSame(environment, own.environment);
  const done = await outcomeOf(folder, own);
  if (done !== null) return done;
  const isOther = differences(environment, own.environment).length > 0;
  const measure = await measurerOf(run, control, isOther ? environment.engine.name : undefined);
  const part = await PartWriter.begin(run, headerOf(plan, own, environment));
  try {
    await adoptDrafts(run, part, task);
    await measure(part);
    await requireUnchanged(run, own);
    return (await part.publish()) ? 'published' : 'published by another worker';
  } catch (error) {
    // Whoever publishes or merges a part may take away what others have of it.
    const elsewhere = await outcomeOf(folder, own).catch(() => null);
    if (elsewhere !== null) return elsewhere;
    throw error;
  } finally {
    await part.close().catch(() => undefined);
  }
}

/** What measures the segments of a run's part: an engine, by the name of another one where it is not the run's own, or the run's program. */
async function measurerOf(
  run: RunFolder,
  control: TaskControl,
  engine: string | undefined,
): Promise<(part: PartWriter) => Promise<void>> {
  if (isProcessRun(run.manifest)) return (part) => measureTaskByProcess(part, control);
  const experiment = await experimentOf(run, control.places, engine);
  return (part) => measureRun(experiment, part, control);
}

/** How a task was ended before; null where it was not. */
async function outcomeOf(folder: string, { task, from, to }: Task): Promise<WorkOutcome | null> {
  if (await isPublished(folder, task)) return 'published by another worker';
  const { state } = await openRun(folder);
  return state.segments.subarray(from, to).includes(0) ? null : 'merged already';
}

/** Takes over what earlier workers measured of a task, and removes drafts that are known to be nobody's. */
async function adoptDrafts(run: RunFolder, part: PartWriter, task: number): Promise<void> {
  const folders = (await draftsOf(run.folder, task)).filter((folder) => folder !== part.draft);
  const here = folders.map((folder) => contextAt(run.context, folder));
  for (const context of [...((await run.elsewhere?.draftsOf(task)) ?? []), ...here]) {
    const draft = await readDraft(context);
    if (draft !== null) await part.adopt(draft);
  }
  await part.flush();
  await removeDead(run.folder, task);
}

/** Throws StoreError where the task is not in the plan any more as it was. */
async function requireUnchanged({ context, folder }: RunFolder, { task, plan }: Task): Promise<void> {
  const now = (await loadPlan(context))?.tasks[task];
  if (now?.plan === plan) return;
  throw new StoreError({
    given: `task ${task} of ${folder}, which was planned anew while it was measured`,
    expected: 'the plan that this worker began with',
    remedy: 'work on the tasks of the new plan',
  });
}

function noSuchTask({ folder }: RunFolder, task: number, count: number): UsageError {
  return new UsageError({
    given: `task ${task} of ${folder}`,
    expected: `a task from 0 to ${count - 1}`,
    remedy: 'lca plan RUN lists them',
  });
}
