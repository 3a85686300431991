import { StoreError, UsageError } from '../../errors.js';
import { type ProgressSink, silent, type WorkControl } from '../../experiment/control.js';
import type { Experiment } from '../../experiment/experiment.js';
import { experimentOf } from '../../experiment/manifest.js';
import type { Places } from '../../experiment/places.js';
import { differences } from '../../format/parts/environment.js';
import { loadPlan, type Task } from '../../format/parts/plan.js';
import { headerOf, type PartHeader, readDraft } from '../../format/parts/part.js';
import type { Evaluator } from '../../objective/evaluator.js';
import type { RunFolder } from '../../store/folder.js';
import { openRun, openToMeasure } from '../../store/open.js';
import { PartWriter } from '../../store/parts/part-writer.js';
import { contextAt, draftsOf, isPublished, removeDead } from '../../store/parts/places.js';
import { evaluatorOf, measureGaps } from '../measure.js';
import { isProcessRun, measureTaskByProcess } from '../process/process.js';
import { environmentHere, requireSame } from './environment.js';
import { requirePlan } from './plan.js';

/** How a caller stops and spreads the work on tasks. */
interface WorkOptions extends Pick<WorkControl, 'signal'> {
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

/** How a caller watches, stops and spreads the work on a task. */
export type TaskControl = WorkOptions & WorkControl;

/** The same for several. */
export interface TasksControl extends WorkOptions {
  /** What is told of the progress of each. */
  readonly progressOf?: ((task: number) => ProgressSink) | undefined;
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
  { progress = silent, ...control }: TaskControl = {},
): Promise<WorkOutcome> {
  for await (const { outcome } of workOnTasks(folder, [task], { ...control, progressOf: () => progress }))
    return outcome;
  throw new TypeError('a task without an outcome');
}

/**
 * The same for several, one after the other; data and engine are made ready once for all of them. Tells of each how it ended. Throws as `workOnTask`
 * does, and goes on with no other then.
 */
export async function* workOnTasks(
  folder: string,
  tasks: readonly number[],
  control: TasksControl = {},
): AsyncGenerator<{ readonly task: number; readonly outcome: WorkOutcome }> {
  const run = await openToMeasure(folder, control.scratch);
  const plan = await requirePlan(run);
  const beyond = tasks.find((task) => plan.tasks[task] === undefined);
  if (beyond !== undefined) throw noSuchTask(run, beyond, plan.tasks.length);
  const environment = await environmentHere(run.manifest);
  // A plan is for one kind of machine.
  const planned = plan.tasks[0]!.environment;
  if (!control.mixed) requireSame(environment, planned);
  const isOther = differences(environment, planned).length > 0;
  const measurer = new Measurer(run, control, isOther ? environment.engine.name : undefined);
  try {
    for (const task of tasks) {
      const header = headerOf(plan, plan.tasks[task]!, environment);
      yield { task, outcome: await workOn(folder, plan.tasks[task]!, header, measurer) };
    }
  } finally {
    await measurer.close();
  }
}

/** Works on a task of the run at an address, of which `measurer.run` is what is here. */
async function workOn(
  address: string,
  own: Task,
  header: PartHeader,
  measurer: Measurer,
): Promise<WorkOutcome> {
  const { run } = measurer;
  const done = await outcomeOf(address, own);
  if (done !== null) return done;
  await measurer.open();
  const part = await PartWriter.begin(run, header);
  try {
    await adoptDrafts(run, part, own.task);
    await measurer.measure(part, own.task);
    await requireUnchanged(run, own);
    return (await part.publish()) ? 'published' : 'published by another worker';
  } catch (error) {
    // Whoever publishes or merges a part may take away what others have of it.
    const elsewhere = await outcomeOf(address, own).catch(() => null);
    if (elsewhere !== null) return elsewhere;
    throw error;
  } finally {
    await part.close().catch(() => undefined);
  }
}

/** Measures parts of a run: by an engine, that of the name given where it is not the run's own, or by the run's program. */
class Measurer {
  #experiment: Experiment | null = null;
  #evaluator: Promise<Evaluator> | null = null;

  constructor(
    readonly run: RunFolder,
    readonly control: TasksControl,
    readonly engine: string | undefined,
  ) {}

  /** Makes data and network ready, unless they are. Throws where they are not those of the run. */
  async open(): Promise<void> {
    if (isProcessRun(this.run.manifest)) return;
    this.#experiment ??= await experimentOf(this.run, this.control.places, this.engine);
  }

  /** Measures what a task's part lacks. */
  async measure(part: PartWriter, task: number): Promise<void> {
    const { workers, processes, signal, progressOf } = this.control;
    const control = { signal, progress: progressOf?.(task) };
    if (this.#experiment === null) return measureTaskByProcess(part, { ...control, processes });
    const gaps = part.unmeasured();
    if (gaps.length === 0) return part.flush();
    const evaluator = await (this.#evaluator ??= evaluatorOf(this.#experiment, { workers }));
    await measureGaps(this.#experiment, part, gaps, { ...control, evaluator });
  }

  /** Ends the workers. */
  async close(): Promise<void> {
    await this.#evaluator?.then((evaluator) => evaluator.close(), () => undefined); // prettier-ignore
  }
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
