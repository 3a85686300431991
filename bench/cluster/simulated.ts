import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { chunkPath } from '../../src/format/layout/arrays.js';
import { journalName, pendingPath, type RunContext } from '../../src/format/context.js';
import { encodeLine, origin } from '../../src/format/journal.js';
import type { ManifestContent } from '../../src/format/manifest.js';
import { encodeHeader, headerOf, partName } from '../../src/format/parts/part.js';
import type { Plan, Task } from '../../src/format/parts/plan.js';
import type { JournalRecord, SegmentRecord } from '../../src/format/records.js';
import { loadState } from '../../src/format/state.js';
import { encodeRecord, numbersOf, recordBytes } from '../../src/format/windows.js';
import { allocate } from '../../src/ledger/allocate.js';
import { ledgerRow } from '../../src/ledger/columns.js';
import type { MeasuredSegment } from '../../src/ledger/measure-range.js';
import { encodeNumbers } from '../../src/format/codec.js';
import { sha256 } from '../../src/store/files.js';
import { JournalWriter } from '../../src/store/journal-writer.js';
import { createRunFolder, openRun } from '../../src/store/open.js';
import { partFolder } from '../../src/store/parts/places.js';

/*
 * Runs and parts that were never measured: what a plan over very many segments costs is seen without their work. All segments are alike: the loss
 * and the gradient's signs are the same at every row of θ, so that neighbours agree.
 */

/** Rows of θ, or segments, in a line of a journal, as a worker writes them. */
const lineRows = 8;

/** Makes a run whose training ended, by its journal: files of θ it has none. */
export async function simulateRun(folder: string, content: ManifestContent): Promise<void> {
  await (await createRunFolder(folder, content)).close();
  const { context } = await openRun(folder);
  const { last } = await loadState(context);
  const journal = await JournalWriter.open(join(folder, journalName), last);
  await journal.close();
  const rows = Array.from({ length: content.trajectory.iterations + 1 }, (_, row) => ({ row, sha256: thetaOf(row) }));
  const theta = batches(rows, lineRows).map((batch): JournalRecord => ({ type: 'rows', theta: batch, segments: [] }));
  const { text } = linesOf([...theta, { type: 'trained', files: {}, stats: {} }], last!.check);
  await writeFile(join(folder, journalName), text, { flag: 'a' });
} // prettier-ignore

/** Publishes the part of a task, all of whose segments are the given one. */
export async function simulatePart(
  { context, folder }: { readonly context: RunContext; readonly folder: string },
  plan: Plan,
  task: Task,
  measured: MeasuredSegment,
): Promise<void> {
  const place = partFolder(folder, task.task);
  const header = encodeHeader(headerOf(plan, task, task.environment));
  const bytes = encodeRecord(context, measured);
  const chunks = context.rowArrays.map((spec) => encodeNumbers(numbersOf(measured, spec)));
  const rows = chunks.map((chunk) => sha256(chunk));
  const record = sha256(bytes);
  const segments = Array.from({ length: task.to - task.from }, (_, k): SegmentRecord => {
    const segment = task.from + k;
    return { segment, record, theta: [thetaOf(segment), thetaOf(segment + 1)], rows };
  });
  await writeInto(place, partName, header);
  await writePending(context, place, task, bytes);
  for (const { segment } of chunks.length === 0 ? [] : segments)
    for (const [k, spec] of context.rowArrays.entries())
      await writeInto(place, chunkPath(spec, segment), chunks[k]!);
  const created: JournalRecord = { type: 'created', files: { [partName]: sha256(header) } };
  const lines = batches(segments, lineRows).map((batch): JournalRecord => ({ type: 'rows', theta: [], segments: batch })); // prettier-ignore
  await writeInto(place, journalName, linesOf([created, ...lines], origin).text);
}

/** A segment at whose ends loss and gradient are the same, with as many parameters as the manifest has. */
export function stillSegment({ layout, manifest }: RunContext): MeasuredSegment {
  const vector = (seed: number) => Float64Array.from({ length: layout.size }, (_, k) => Math.sin(seed + k));
  const gradient = vector(2);
  const rows = manifest.objectives.map(() =>
    ledgerRow(
      allocate({
        delta: vector(1),
        meanGradient: vector(3),
        startGradient: gradient,
        endGradient: gradient,
        lossStart: 2,
        lossEnd: 2,
        layout,
        subintervals: 1,
        evaluations: 3,
      }),
    ),
  );
  return { segment: 0, rows };
}

/** Records of a task's segments, in the files of their windows. */
async function writePending(context: RunContext, place: string, { from, to }: Task, record: Uint8Array): Promise<void> {
  const size = recordBytes(context);
  const { windowRows } = context;
  for (let start = from; start < to;) {
    const window = Math.floor(start / windowRows);
    const end = Math.min(to, (window + 1) * windowRows);
    const bytes = new Uint8Array((end - window * windowRows) * size);
    for (let segment = start; segment < end; segment++) bytes.set(record, (segment - window * windowRows) * size);
    await writeInto(place, pendingPath(window), bytes);
    start = end;
  }
} // prettier-ignore

async function writeInto(folder: string, path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), bytes);
}

/** A made-up checksum of a row of θ. */
function thetaOf(row: number): string {
  return row.toString(16).padStart(64, '0');
}

function linesOf(records: readonly JournalRecord[], previous: string): { text: Uint8Array } {
  let check = previous;
  const lines = records.map((record) => {
    const encoded = encodeLine(check, record, sha256);
    check = encoded.check;
    return encoded.line;
  });
  return { text: Buffer.concat(lines) };
}

function batches<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, k) =>
    items.slice(k * size, (k + 1) * size),
  );
}
