import { statfs } from 'node:fs/promises';
import { manifestName } from '../format/context.js';
import {
  curveRows,
  PyramidBuilder,
  pyramidBytes,
  type PyramidIndex,
  pyramidPaths,
  sumStride,
} from '../format/pyramid.js';
import type { RunReader } from '../format/reader.js';
import { attempt, readIfPresent, sha256, writeResult } from './files.js';
import { join } from 'node:path';

interface PyramidOptions {
  readonly signal?: AbortSignal;
  /** Where to; default: the run folder. */
  readonly out?: string;
}

/**
 * Writes the pyramids of all objectives whose allocations by parameter are stored, as far as segments are stored without a gap; those that are
 * there already stay. They follow from the ledger and may be deleted at any time.
 *
 * @returns Why nothing was written; null where all is there.
 * @throws StoreError where a file cannot be read or written, AbortError where it was stopped.
 */
export async function writePyramids(
  run: RunReader,
  folder: string,
  options: PyramidOptions = {},
): Promise<string | null> {
  const { out = folder } = options;
  const manifest = await readIfPresent(join(folder, manifestName));
  if (manifest === null || run.manifest.keep !== 'parameters') return null;
  const own = sha256(manifest);
  const missing = await missingOf(run, out, own);
  const bytes =
    missing.length * pyramidBytes(run.status.iterations, run.layout.size, run.manifest.definition.precision);
  const { bavail, bsize } = await attempt(`look at ${out}`, () => statfs(out));
  if (bytes > (bavail * bsize) / 4)
    return `the pyramid of ${folder} would take ${(bytes / 2 ** 30).toFixed(1)} GiB, more than a quarter of what is free`;
  for (const objective of missing) await writePyramid(run, out, objective, { own, signal: options.signal });
  return null;
}

/** Objectives whose pyramid is not there, not this run's, or behind by a block of curves or more. */
async function missingOf(run: RunReader, out: string, manifest: string): Promise<string[]> {
  const stored = Math.floor(
    run.array(`allocation/${run.manifest.objectives[0]!.name}`).shape[0]! / sumStride,
  );
  const isMissing = await Promise.all(
    run.manifest.objectives.map(async ({ name }) => {
      const index = await readIndex(join(out, pyramidPaths.index(name)));
      return index?.manifest !== manifest || Math.floor(index.segments / sumStride) < stored;
    }),
  );
  return run.manifest.objectives.filter((_, k) => isMissing[k]).map(({ name }) => name);
}

async function readIndex(path: string): Promise<PyramidIndex | null> {
  const bytes = await readIfPresent(path).catch(() => null);
  try {
    return bytes === null ? null : (JSON.parse(bytes.toString()) as PyramidIndex);
  } catch {
    return null;
  }
}

async function writePyramid(
  run: RunReader,
  out: string,
  objective: string,
  { own, signal }: { own: string; signal?: AbortSignal | undefined },
): Promise<void> {
  const builder = new PyramidBuilder(objective, run.layout.size, run.manifest.definition.precision);
  for await (const row of run.array(`allocation/${objective}`).rows()) {
    signal?.throwIfAborted();
    for (const { path, bytes } of builder.add(row)) await writeResult(out, path, bytes);
  }
  const index: PyramidIndex = { manifest: own, stride: sumStride, curveRows, segments: builder.segments };
  await writeResult(out, pyramidPaths.index(objective), `${JSON.stringify(index)}\n`);
}
