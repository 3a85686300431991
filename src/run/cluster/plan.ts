import { StoreError, UsageError } from '../../errors.js';
import { estimateRun } from '../../experiment/cost/estimate.js';
import type { SegmentRange } from '../../experiment/control.js';
import { experimentOf } from '../../experiment/manifest.js';
import type { Places } from '../../experiment/places.js';
import { manifestName } from '../../format/context.js';
import { encodePiece, loadPlan, type Plan, planPath, type Task } from '../../format/parts/plan.js';
import type { RunFolder } from '../../store/folder.js';
import { openRun, openToMeasure } from '../../store/open.js';
import { createFile, publishedTasks, removePlan } from '../../store/parts/places.js';
import type { Shelf } from '../../store/parts/shelf.js';
import { isProcessRun, repeatabilityReading } from '../process/process.js';
import { environmentHere, requireSame } from './environment.js';

/** Into how many ranges what is not planned yet is divided. */
export type Division = { readonly tasks: number } | { readonly minutes: number };

/** How far a task is: in the run, whole in its part, or neither. */
export type TaskState = 'merged' | 'measured' | 'missing';

/** How tasks stand that were handed to a scheduler. */
export interface TasksProgress {
  /** Those that it has not ended. */
  readonly waiting: number;
  readonly running: number;
  /** Tasks of the plan whose parts are whole or merged, and all. */
  readonly done: number;
  readonly tasks: number;
}

interface PlanOptions extends Places {
  readonly workers?: number | undefined;
  /** Local disk for what is kept here of a run in an object store. */
  readonly scratch?: string | undefined;
  /** Removes the plan that is there, with all parts that are not merged. */
  readonly anew?: boolean;
}

/**
 * Plans ranges of the segments that are neither stored nor planned, as far as θ is there: once for a run whose training has ended, again and again for
 * one that grows. A task that was planned stays what it is.
 *
 * @returns The tasks that are new.
 * @throws UsageError where there is nothing to plan, StoreError where the plan is of another kind of machine.
 */
export async function planTasks(
  folder: string,
  division: Division,
  { anew = false, ...options }: PlanOptions = {},
): Promise<Task[]> {
  const run = await openRun(folder);
  requireRepeatable(run);
  if (anew) await removePlan(folder);
  const plan = await loadPlan(run.context);
  const environment = await environmentHere(run.manifest);
  requireMadeHere(run, environment.engine.version);
  if (plan !== null) requireSame(environment, plan.tasks[0]!.environment);
  const open = unplanned(run, plan);
  if (open.length === 0) throw nothingToPlan(run);
  const count = 'tasks' in division ? division.tasks : await tasksOf(run, open, division.minutes, options);
  const bytes = encodePiece({
    manifest: plan?.manifest ?? run.context.digest((await run.context.source.get(manifestName))!),
    first: plan?.tasks.length ?? 0,
    ranges: divide(open, count),
    environment: plan?.tasks[0]!.environment ?? environment,
  });
  const made = await createFile(folder, planPath(plan?.pieces ?? 0), bytes);
  if (!made) return planTasks(folder, division, options);
  return (await loadPlan(run.context))!.tasks.slice(plan?.tasks.length ?? 0);
}

/** The plan of a run. Throws UsageError where there is none. */
export async function requirePlan(run: RunFolder): Promise<Plan> {
  const plan = await loadPlan(run.context);
  if (plan !== null) return plan;
  throw new UsageError({
    given: `${run.folder}, which has no plan`,
    expected: 'a run whose segments are divided into tasks',
    remedy: `plan first: lca plan ${run.folder} --tasks N`,
  });
}

/** How far each task of a plan is. `shelf`: where its parts are; default beside the run. Throws StoreError. */
export async function taskStates(
  { state, folder }: RunFolder,
  { tasks }: Plan,
  shelf?: Pick<Shelf, 'published'>,
): Promise<TaskState[]> {
  const published = await (shelf?.published() ?? publishedTasks(folder));
  return tasks.map(({ task, from, to }) => {
    if (!state.segments.subarray(from, to).includes(0)) return 'merged';
    return published.has(task) ? 'measured' : 'missing';
  });
}

/** Ranges of segments that are neither stored nor planned and whose rows of θ are both there. */
function unplanned({ state }: RunFolder, plan: Plan | null): SegmentRange[] {
  const taken = state.segments.slice();
  for (const { from, to } of plan?.tasks ?? []) taken.fill(1, from, to);
  const ranges: { from: number; to: number }[] = [];
  for (const [segment, flag] of taken.entries()) {
    if (flag === 1 || state.rows[segment] !== 1 || state.rows[segment + 1] !== 1) continue;
    const last = ranges.at(-1);
    if (last?.to === segment) last.to++;
    else ranges.push({ from: segment, to: segment + 1 });
  }
  return ranges;
}

/** Ranges cut into `count` of nearly equal length, or one for each segment and gap where that is less or more. */
export function divide(ranges: readonly SegmentRange[], count: number): SegmentRange[] {
  const total = ranges.reduce((sum, { from, to }) => sum + to - from, 0);
  const used = Math.min(count, total);
  let before = 0;
  return ranges.flatMap(({ from, to }) => {
    const cuts = [from];
    for (let cut = 1; cut < used; cut++) {
      const at = Math.round((cut * total) / used) - before + from;
      if (at > from && at < to) cuts.push(at);
    }
    before += to - from;
    return cuts.map((cut, index) => ({ from: cut, to: cuts[index + 1] ?? to }));
  });
}

/** How many tasks of so many minutes ranges are, by the rate measured here. */
async function tasksOf(
  run: RunFolder,
  ranges: readonly SegmentRange[],
  minutes: number,
  { workers, scratch, ...places }: PlanOptions,
): Promise<number> {
  if (isProcessRun(run.manifest)) throw rateUnknown(minutes);
  const experiment = await experimentOf(await openToMeasure(run.folder, scratch), places);
  const { parts, segments } = await estimateRun(experiment, { workers, measure: true });
  const total = ranges.reduce((sum, { from, to }) => sum + to - from, 0);
  return Math.max(1, Math.ceil((total * parts.measuring) / segments / (60 * minutes)));
}

/** Throws StoreError where the engine here is not the one that the manifest states. */
function requireMadeHere({ manifest, folder }: RunFolder, version: string): void {
  if (version === manifest.engine.version || isProcessRun(manifest)) return;
  throw new StoreError({
    given: `engine ${version}`,
    expected: `${manifest.engine.version}, which ${folder} was made with`,
    remedy: 'plan on a machine like the one that made the run',
  });
}

/** Throws UsageError where a program of the user's gave two answers for one θ: where ranges meet, two workers must state the same loss. */
function requireRepeatable({ manifest, folder }: RunFolder): void {
  const reading = manifest.readings.find(({ about }) => about === repeatabilityReading);
  if (!isProcessRun(manifest) || reading?.warning !== true) return;
  throw new UsageError({
    given: `${folder}, measured by a program of which ${reading.decision}`,
    expected: 'a program that gives the same for the same θ to the bit, since several machines must agree where their ranges meet',
    remedy: 'make it deterministic and measure into a new run, or go on with one machine: lca resume RUN',
  }); // prettier-ignore
}

function rateUnknown(minutes: number): UsageError {
  return new UsageError({
    given: `--minutes ${minutes} for a run that a program of its own measures`,
    expected: 'a number of tasks, since how fast the program is where it will work is not known here',
    remedy: 'plan with --tasks N; the time left that lca measure shows says how long a segment takes',
  });
}

function nothingToPlan(run: RunFolder): UsageError {
  const { rows, iterations } = run.status;
  return new UsageError({
    given: `${run.folder}, of whose ${iterations} segments none is left to plan (${rows} rows of theta are stored)`,
    expected: 'segments that are neither stored nor planned, whose rows of theta are there',
    remedy: 'lca plan RUN lists the plan; --anew makes another one, without the parts that are not merged',
  });
}
