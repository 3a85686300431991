import { isDeepStrictEqual } from 'node:util';
import type { RunConfig } from '../../experiment/config/schema.js';
import { silent, withProgress, type WorkControl } from '../../experiment/control.js';
import type { Experiment } from '../../experiment/experiment.js';
import { experimentOf } from '../../experiment/manifest.js';
import { withWholePaths } from '../../experiment/paths.js';
import type { Places } from '../../experiment/places.js';
import { type ArraySpec, isByRow } from '../../format/layout/arrays.js';
import type { Manifest } from '../../format/manifest.js';
import type { LedgerRow } from '../../ledger/columns.js';
import type { Numbers } from '../../ledger/types.js';
import type { RunFolder } from '../../store/folder.js';
import type { RunWriter } from '../../store/writer.js';

/** The experiment of a forked run, with all that its origin was made with, whose files are at `places`. Throws as `experimentOf`. */
export function forkedExperiment(origin: RunFolder, config: RunConfig, places: Places): Promise<Experiment> {
  const { folder, manifest, status } = origin;
  const stated = JSON.parse(JSON.stringify(withWholePaths(config, folder))) as Manifest['config'];
  return experimentOf(
    { folder, status, theta: (row) => origin.theta(row), manifest: { ...manifest, config: stated } },
    places,
  );
} // prettier-ignore

/**
 * Stores the segments before the fork as the origin measured them, which measuring them again would give bit for bit. Takes over none where the
 * two are not measured alike.
 *
 * @returns How many were taken over.
 */
export async function takeOver(
  origin: RunFolder,
  run: RunWriter,
  at: number,
  { progress = silent, signal }: WorkControl = {},
): Promise<number> {
  if (!isMeasuredAlike(origin, run)) return 0;
  const measured = (await origin.view()).segments;
  const count = Math.min(at, measured);
  const row = origin.rowReader();
  const specs = run.context.arrays.filter(({ column }) => column !== null);
  await withProgress(progress, { total: count }, async () => {
    for (let segment = 0; segment < count; segment++) {
      const rows = run.manifest.objectives.map(() => ({}));
      for (const spec of specs) setCells(rows[spec.objective ?? 0]!, spec, await cellsOf(row, spec, segment));
      await run.commitSegment({ segment, rows: rows as unknown as LedgerRow[] });
      progress.update(segment + 1);
      signal?.throwIfAborted();
    }
  });
  await run.flush();
  return count;
}

/** Whether segments of one run can stand in the other: only what happens after the fork may differ. */
function isMeasuredAlike({ manifest: a }: RunFolder, { manifest: b }: RunFolder): boolean {
  const measuring = ({ definition, objectives, parameters, groupings, quadrature, keep, keepParts, engine }: typeof a) =>
    ({ definition, objectives, parameters, groupings, quadrature, keep, keepParts, engine }); // prettier-ignore
  // Principal components are those of the whole trajectory.
  return a.basis === null && a.createdBy === b.createdBy && isDeepStrictEqual(measuring(a), measuring(b));
}

/** What a segment gives to an array: one row, or of an array by row of θ two. */
async function cellsOf(
  row: (name: string, index: number) => Promise<Numbers>,
  spec: ArraySpec,
  segment: number,
): Promise<Numbers> {
  const start = (await row(spec.name, segment)).slice();
  if (!isByRow(spec)) return start;
  const end = await row(spec.name, segment + 1);
  const both = new (start.constructor as Float64ArrayConstructor)(start.length + end.length);
  both.set(start);
  both.set(end, start.length);
  return both;
}

function setCells(row: Record<string, unknown>, { column, grouping }: ArraySpec, cells: Numbers): void {
  if (grouping === null) row[column!] = cells;
  else row[column!] = { ...(row[column!] as Record<string, Numbers> | undefined), [grouping]: cells };
}
