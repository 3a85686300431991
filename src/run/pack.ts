import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../errors.js';
import { silent, withProgress, type WorkControl } from '../experiment/control.js';
import { chunkPath, isByRow } from '../format/layout/arrays.js';
import { encodeNumbers } from '../format/codec.js';
import { manifestName, type RunContext } from '../format/context.js';
import { chunksOf, type PartSegment } from '../format/parts/part.js';
import { damaged } from '../format/source.js';
import { WindowReader } from '../format/windows.js';
import type { Numbers } from '../ledger/types.js';
import { attempt, sha256 } from '../store/files.js';
import type { RunFolder } from '../store/folder.js';
import { createRunFolder, openRun } from '../store/open.js';
import { isRemote } from '../store/s3/remote-run.js';
import { refuseExistingRun, uploadRun } from '../store/s3/upload.js';
import { scratchOf } from '../store/scratch.js';
import { draftOf, removeDeadDrafts } from '../store/temporary.js';
import type { RunWriter } from '../store/writer.js';

interface PackControl extends WorkControl {
  /** Local disk for a copy on its way into an object store. */
  readonly scratch?: string | undefined;
}

/**
 * Writes a copy of a run whose rows lie many in one file, into a folder or an object store: what is stored of it now, checksums compared, without plan and
 * parts. Its numbers, and their checksums, are those of the run.
 *
 * @throws StoreError where there is something at the target already, or the run is damaged.
 */
export async function packRun(source: string, target: string, control: PackControl = {}): Promise<void> {
  const run = await openRun(source);
  if (!isRemote(target)) return copyPacked(run, target, control);
  await refuseExistingRun(target);
  const base = join(await scratchOf(control.scratch, target), 'pack');
  await removeDeadDrafts(base, 'tmp');
  const folder = draftOf(base, 'tmp');
  try {
    await attempt(`make ${folder}`, () => mkdir(folder));
    await copyPacked(run, join(folder, 'run'), control);
    await uploadRun(join(folder, 'run'), target);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function copyPacked(run: RunFolder, folder: string, control: PackControl): Promise<void> {
  const copy = await createRunFolder(folder, { ...run.manifest, packed: true }, await attachmentsOf(run));
  try {
    await copyRows(run, copy, control);
  } finally {
    await copy.close();
  }
}

/** Files that the run keeps of its network, by path. Throws StoreError where one is damaged. */
async function attachmentsOf({ context, state }: RunFolder): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const [path, sha] of state.files) {
    if (path === manifestName || path.startsWith('ledger.zarr/')) continue;
    const bytes = await context.source.get(path);
    if (bytes === undefined || sha256(bytes) !== sha)
      throw damaged(`${context.place}/${path}`, 'its checksum differs, or it is missing');
    files.set(path, bytes);
  }
  return files;
}

async function copyRows(
  run: RunFolder,
  copy: RunWriter,
  { progress = silent, signal }: PackControl,
): Promise<void> {
  const { rows, segments, mixed, stats } = run.state;
  const stored = [...segments.keys()].filter((segment) => segments[segment] === 1);
  if (rows[0] !== 1) throw nothingStored(run);
  await withProgress(progress, { total: rows.length + stored.length }, async () => {
    let done = 0;
    for (let row = 0; rows[row] === 1; row++) {
      signal?.throwIfAborted();
      await copy.writeTheta(row, await run.theta(row));
      progress.update(++done);
    }
    if (stats !== null) await copy.finishTraining(await orderedArrays(run), stats);
    for (const own of mixed) await copy.noteMixed(own);
    const reader = new WindowReader(run.context, run.state);
    for (const segment of stored) {
      signal?.throwIfAborted();
      await copy.adoptSegments([await segmentOf(run, reader, segment)], run.context.place, 'copy');
      progress.update(++done);
    }
    await copy.flush();
  });
}

/** Rows of the arrays that are written when training ends, by name. */
async function orderedArrays(run: RunFolder): Promise<Record<string, Numbers[]>> {
  const arrays: Record<string, Numbers[]> = {};
  for (const { name } of run.context.arrays.filter(({ placement }) => placement === 'order')) {
    const rows: Numbers[] = [];
    for await (const row of run.array(name).rows()) rows.push(row);
    arrays[name] = rows;
  }
  return arrays;
}

/** A stored segment as a part would have it. Throws StoreError where it is damaged. */
async function segmentOf({ context, state }: RunFolder, reader: WindowReader, segment: number): Promise<PartSegment> {
  const record = {
    segment,
    record: state.records.get(segment),
    theta: [state.theta.get(segment), state.theta.get(segment + 1)] as [string, string],
    rows: context.rowArrays.map((_, k) => state.chunks.get(segment * context.rowArrays.length + k)),
  };
  const bytes = await recordOf(context, reader, segment);
  if (sha256(bytes) !== record.record) throw damaged(`${context.place}, segment ${segment}`, 'its small columns differ from their checksum');
  const numbers = await chunksOf(context, record);
  const changed = new Map(Array.from(numbers, ([spec, own]) => [chunkPath(spec, segment), encodeNumbers(own)]));
  return { record, bytes, changed };
} // prettier-ignore

/** The record of a segment's small columns, wherever they are. */
async function recordOf(context: RunContext, reader: WindowReader, segment: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for (const spec of context.windowArrays) {
    pieces.push(encodeNumbers(await reader.row(spec, segment)));
    if (isByRow(spec)) pieces.push(encodeNumbers(await reader.row(spec, segment + 1)));
  }
  return Buffer.concat(pieces);
}

function nothingStored({ place }: RunFolder): UsageError {
  return new UsageError({
    given: `${place}, of which nothing is stored yet`,
    expected: 'a run with rows of theta',
    remedy: 'train it first: lca resume RUN',
  });
}
