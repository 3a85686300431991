import { silent, type WorkControl, withProgress } from '../../experiment/control.js';
import { isLossledgerError } from '../../errors.js';
import { isSharded } from '../../format/layout/arrays.js';
import { differences } from '../../format/parts/environment.js';
import { meetsOthers, neighboursOf, type PartExpectation, partProblem } from '../../format/parts/check.js';
import { type Part, type PartSegment, readPart, segmentsOf } from '../../format/parts/part.js';
import type { Source } from '../../format/source.js';
import { withEnds } from '../../format/parts/seam.js';
import type { Plan, Task } from '../../format/parts/plan.js';
import { contextAt } from '../../store/parts/places.js';
import { type Merge, mergeInFolder, type Shelf } from '../../store/parts/shelf.js';
import { mergeInStore } from '../../store/s3/merge.js';
import { isRemote } from '../../store/s3/remote-run.js';
import type { RunWriter } from '../../store/writer.js';
import { requirePlan, taskStates } from './plan.js';

/** A part that was not merged, and is out of the way now. */
export interface RefusedPart {
  readonly task: number;
  /** Why, as a phrase. */
  readonly what: string;
  /** Where it is now. */
  readonly aside: string;
}

/** What merging did. */
export interface Merging {
  /** Tasks whose parts were appended now. */
  readonly merged: readonly number[];
  /** Tasks without a sound part, those refused among them: to be done again. */
  readonly missing: readonly number[];
  readonly refused: readonly RefusedPart[];
  /** Segments that the run has now, and in all. */
  readonly segments: number;
  readonly iterations: number;
}

interface MergeControl extends WorkControl {
  /** Takes parts that were measured by other machines or versions than the plan is for. */
  readonly mixed?: boolean | undefined;
  /** Local disk for what is merged into a run in an object store. */
  readonly scratch?: string | undefined;
}

/**
 * Checks the parts that are whole and appends them to the run; those that are not sound are set aside. May be called while others work on further
 * tasks, and again.
 *
 * @throws UsageError where there is no plan, StoreError where another process writes the run, or the disk fails.
 */
export async function mergeRun(folder: string, control: MergeControl = {}): Promise<Merging> {
  const merge = await (isRemote(folder) ? mergeInStore(folder, control.scratch) : mergeInFolder(folder));
  try {
    const merging = await mergeParts(merge, await requirePlan(merge.run), control);
    await merge.save();
    return merging;
  } finally {
    await merge.close();
  }
}

async function mergeParts(
  { run, shelf, named }: Merge,
  plan: Plan,
  { mixed = false, progress = silent, signal }: MergeControl,
): Promise<Merging> {
  const states = await taskStates(run, plan, shelf);
  const [merged, missing, refused]: [number[], number[], RefusedPart[]] = [[], [], []];
  // Tasks whose parts are needed until what is in the run now is durable.
  let waiting: number[] = [];
  const letGo = async (): Promise<void> => {
    for (const task of waiting) await shelf.merged(task);
    waiting = [];
  };
  let done = 0;
  await withProgress(progress, { total: plan.tasks.length }, async () => {
    for (const task of plan.tasks) {
      signal?.throwIfAborted();
      if (states[task.task] === 'merged') await shelf.merged(task.task);
      else if (states[task.task] === 'missing') missing.push(task.task);
      else {
        const what = await mergePart(run, shelf, { plan, task, mixed });
        if (what === null) {
          merged.push(task.task);
          waiting.push(task.task);
          if (run.unsaved === 0) await letGo();
        } else {
          refused.push({ task: task.task, what: named(what), aside: await shelf.refuse(task.task) });
          missing.push(task.task);
        }
      }
      progress.update(++done);
    }
    await run.flush();
    await letGo();
  });
  const { segments, iterations } = run.status;
  return { merged, missing, refused, segments, iterations };
}

/** Checks a part and appends it; returns why not, null where it is in the run now. */
async function mergePart(run: RunWriter, shelf: Shelf, expectation: PartExpectation): Promise<string | null> {
  const { task } = expectation;
  const part = await publishedPart(run, shelf, task);
  if (typeof part === 'string') return part;
  const problem = await partProblem(run, part, expectation);
  if (problem !== null) return problem;
  const { environment, from, to } = part.header;
  if (differences(environment, task.environment).length > 0) await run.noteMixed({ from, to, environment });
  const ends = meetsOthers(run, part, expectation) ? await neighboursOf(run, task) : noEnds;
  for await (const batch of batchesOf(part)) {
    const segments = batch.map(async (segment) => {
      const { segment: own } = segment.record;
      const met = [own === from ? ends[0] : null, own === to - 1 ? ends[1] : null] as const;
      return met.some((cells) => cells !== null) ? withEnds(part.context, segment, met) : segment;
    });
    await run.adoptSegments(await Promise.all(segments), part.context.place, 'move');
  }
  return null;
}

/** Segments of a part that are appended together: few in memory, and few times of waiting for the disk. */
async function* batchesOf(part: Part): AsyncGenerator<PartSegment[]> {
  // Rows of packed runs are read and written again, not moved.
  const most = part.context.rowArrays.some(isSharded) ? packedSegments : batchSegments;
  let batch: PartSegment[] = [];
  let bytes = 0;
  for await (const segment of segmentsOf(part)) {
    batch.push(segment);
    bytes += segment.bytes.length;
    if (batch.length < most && bytes < batchBytes) continue;
    yield batch;
    [batch, bytes] = [[], 0];
  }
  if (batch.length > 0) yield batch;
}

const batchSegments = 1024;
const packedSegments = 8;
const batchBytes = 2 ** 25;

/** Where no numbers of two machines meet. */
const noEnds = [null, null] as const;

/** Files of a part, and chunks that a merging which was stopped has moved into the run. */
function withMoved(part: Source, run: Source): Source {
  return {
    get: async (path, range) =>
      (await part.get(path, range)) ?? (path.startsWith('ledger.zarr/') ? run.get(path, range) : undefined),
  };
}

/** The published part of a task, or why it cannot be read. */
async function publishedPart(run: RunWriter, shelf: Shelf, { task }: Task): Promise<Part | string> {
  try {
    const own = contextAt(run.context, await shelf.fetch(task));
    const part = await readPart({ ...own, source: withMoved(own.source, run.context.source) });
    return part ?? 'it has no part.json';
  } catch (error) {
    if (isLossledgerError(error) && error.tag === 'store') return error.problem.given;
    throw error;
  }
}
