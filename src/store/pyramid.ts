import { statfs } from 'node:fs/promises';
import { manifestName } from '../format/context.js';
import {
  curveRows,
  PyramidBuilder,
  pyramidBytes,
  type PyramidIndex,
  pyramidPaths,
  roundedStride,
  sumStride,
} from '../format/derived/pyramid.js';
import type { RunReader } from '../format/reader.js';
import { attempt, readIfPresent, sha256 } from './files.js';
import { writeResult } from './place.js';
import { join } from 'node:path';

interface PyramidOptions {
  readonly signal?: AbortSignal;
  /** Waited for before each row, so that others can go first; default nothing. */
  readonly pause?: () => Promise<void>;
  /** Where to; default: the run folder. */
  readonly out?: string;
}

/**
 * Writes the pyramids of all objectives whose allocations by parameter are stored, as far as segments are stored without a gap; what is there
 * already stays, and is gone on from. They follow from the ledger and may be deleted at any time.
 *
 * @returns Why nothing was written; null where all is there.
 * @throws StoreError where a file cannot be read or written, AbortError where it was stopped.
 */
export async function writePyramids(
  run: RunReader,
  folder: string,
  options: PyramidOptions = {},
): Promise<string | null> {
  const { out = folder, signal, pause } = options;
  const manifest = await run.context.source.get(manifestName);
  if (manifest === undefined || run.manifest.keep !== 'parameters') return null;
  const own = sha256(manifest);
  const missing = await missingOf(run, out, own);
  const bytes =
    missing.length * pyramidBytes(run.status.iterations, run.layout.size, run.manifest.definition.precision);
  const { bavail, bsize } = await attempt(`look at ${out}`, () => statfs(out));
  if (bytes > (bavail * bsize) / 4)
    return `the pyramid of ${folder} would take ${(bytes / 2 ** 30).toFixed(1)} GiB, more than a quarter of what is free`;
  for (const objective of missing) await writePyramid(run, out, objective, { own, signal, pause });
  return null;
}

/** Objectives whose pyramid is not there, not this run's, behind by a stride of sums or more, or without the last block of a finished run. */
async function missingOf(run: RunReader, out: string, manifest: string): Promise<string[]> {
  const stored = Math.floor(
    run.array(`allocation/${run.manifest.objectives[0]!.name}`).shape[0]! / sumStride,
  );
  const isMissing = await Promise.all(
    run.manifest.objectives.map(async ({ name }) => {
      const index = await readIndex(join(out, pyramidPaths.index(name)));
      if (!isCurrent(index, manifest) || Math.floor(index.segments / sumStride) < stored) return true;
      return index.lastRows === undefined && isFinished(run) && run.status.iterations % curveRows !== 0;
    }),
  );
  return run.manifest.objectives.filter((_, k) => isMissing[k]).map(({ name }) => name);
}

const isFinished = ({ status }: RunReader): boolean => status.segments === status.iterations;

async function readIndex(path: string): Promise<PyramidIndex | null> {
  const bytes = await readIfPresent(path).catch(() => null);
  try {
    return bytes === null ? null : (JSON.parse(bytes.toString()) as PyramidIndex);
  } catch {
    return null;
  }
}

/** Whether a pyramid is of this run, and has all that this version writes. */
function isCurrent(index: PyramidIndex | null, manifest: string): index is PyramidIndex {
  return index?.manifest === manifest && index.roundedStride === roundedStride;
}

async function writePyramid(
  run: RunReader,
  out: string,
  objective: string,
  {
    own,
    signal,
    pause,
  }: { own: string } & { readonly [P in 'signal' | 'pause']: PyramidOptions[P] | undefined },
): Promise<void> {
  const builder = new PyramidBuilder(objective, run.layout.size, run.manifest.definition.precision);
  await resumeFrom(builder, out, own);
  for await (const row of run.array(`allocation/${objective}`, { from: builder.segments }).rows()) {
    await pause?.();
    signal?.throwIfAborted();
    for (const { path, bytes } of builder.add(row)) await writeResult(out, path, bytes);
  }
  const { segments } = builder;
  const lastRows = segments === run.status.iterations ? segments % curveRows : 0;
  if (lastRows > 0) for (const { path, bytes } of builder.finish()) await writeResult(out, path, bytes);
  const index: PyramidIndex = { manifest: own, stride: sumStride, roundedStride, curveRows, segments, ...(lastRows > 0 ? { lastRows } : {}) }; // prettier-ignore
  await writeResult(out, pyramidPaths.index(objective), `${JSON.stringify(index)}\n`);
}

/** Takes in what was written of this run before, as far as whole blocks of curves go. */
async function resumeFrom(builder: PyramidBuilder, out: string, manifest: string): Promise<void> {
  const index = await readIndex(join(out, pyramidPaths.index(builder.objective)));
  if (!isCurrent(index, manifest)) return;
  const segments = Math.floor(index.segments / curveRows) * curveRows;
  const bytes = await readIfPresent(join(out, pyramidPaths.sums(builder.objective, segments))).catch(
    () => null,
  );
  // One that somebody cut or deleted is made anew.
  if (bytes?.length === 24 * builder.size) builder.resume(segments, bytes);
}
