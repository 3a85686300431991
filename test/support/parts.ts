import type { Environment } from '../../src/format/parts/environment.js';
import type { ManifestContent } from '../../src/format/manifest.js';
import { headerOf, type PartHeader } from '../../src/format/parts/part.js';
import type { MeasuredSegment } from '../../src/ledger/measure-range.js';
import { planTasks, requirePlan } from '../../src/run/cluster/plan.js';
import { referenceEngine } from '../../src/engines/reference/index.js';
import { createRunFolder, openRun } from '../../src/store/open.js';
import { PartWriter } from '../../src/store/parts/part-writer.js';
import { segmentOf, smallManifest, train } from './run-folder.js';

/** A small run's manifest, as by the reference engine that is here. */
export function plannedManifest(iterations: number, change: Partial<ManifestContent> = {}): ManifestContent {
  return smallManifest(iterations, {
    engine: { name: 'reference', version: referenceEngine.version() },
    ...change,
  });
}

/** Writes a trained run and plans its tasks. */
export async function plannedRun(folder: string, content: ManifestContent, tasks: number): Promise<void> {
  const run = await createRunFolder(folder, content);
  await train(run, content);
  await run.close();
  await planTasks(folder, { tasks });
}

interface PartChange {
  readonly environment?: Partial<Environment>;
  readonly header?: Partial<PartHeader>;
  /** What is measured of a segment; default `segmentOf`. */
  readonly segment?: (segment: number) => MeasuredSegment;
  /** Stop before this segment, without publishing. */
  readonly until?: number;
}

/** Begins the part of a task, as a worker does, with made-up segments. */
export async function makePart(
  folder: string,
  content: ManifestContent,
  task: number,
  change: PartChange = {},
): Promise<PartWriter> {
  const run = await openRun(folder);
  const plan = await requirePlan(run);
  const own = plan.tasks[task]!;
  const header = { ...headerOf(plan, own, { ...own.environment, ...change.environment }), ...change.header };
  const part = await PartWriter.begin(run, header);
  for (let segment = own.from; segment < Math.min(own.to, change.until ?? own.to); segment++)
    await part.commitSegment((change.segment ?? ((index) => segmentOf(content, index)))(segment));
  return part;
}

/** Measures made-up segments of a task, and publishes them; whether this was the first to do so. */
export async function publishPart(
  folder: string,
  content: ManifestContent,
  task: number,
  change: PartChange = {},
): Promise<boolean> {
  const part = await makePart(folder, content, task, change);
  try {
    return await part.publish();
  } finally {
    await part.close();
  }
}
