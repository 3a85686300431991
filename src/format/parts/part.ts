import { strFromU8, strToU8 } from 'fflate';
import * as z from 'zod';
import { isLossledgerError } from '../../errors.js';
import type { Numbers } from '../../ledger/types.js';
import { type ArraySpec, chunkPath } from '../layout/arrays.js';
import { decodeChunk } from '../codec.js';
import { pendingPath, type RunContext } from '../context.js';
import { type JournalLine, soundLines } from '../journal.js';
import type { SegmentRecord } from '../records.js';
import { damaged } from '../source.js';
import { recordBytes } from '../windows.js';
import { type Environment, environmentSchema } from './environment.js';
import type { Plan, Task } from './plan.js';

const count = z.int().min(0);
const sha = z.string().regex(/^[0-9a-f]{64}$/);

export const partName = 'part.json';

/** part.json: what a part is of, and by what it was measured. */
const headerSchema = z.strictObject({
  format: z.literal('lossledger-part'),
  formatVersion: z.literal(1),
  /** SHA-256 of the run's manifest, and of the file of the plan that has the task. */
  manifest: sha,
  plan: sha,
  task: count,
  from: count,
  to: count,
  environment: environmentSchema,
});

/** What a part is of, and by what it was measured. */
export type PartHeader = z.infer<typeof headerSchema>;

/** The header of a part of a task. */
export function headerOf(
  { manifest }: Plan,
  { task, from, to, plan }: Task,
  environment: Environment,
): PartHeader {
  return { format: 'lossledger-part', formatVersion: 1, manifest, plan, task, from, to, environment };
}

/** part.json's bytes. */
export function encodeHeader(header: PartHeader): Uint8Array {
  return strToU8(`${JSON.stringify(header, null, 1)}\n`);
}

/**
 * A part as its journal states it. Its files lie as in a run folder: chunks of large columns in ledger.zarr, records of small ones in
 * pending/.
 */
export interface Part {
  /** The run's, but read from the part. */
  readonly context: RunContext;
  readonly header: PartHeader;
  /** By segment. */
  readonly segments: ReadonlyMap<number, SegmentRecord>;
  readonly last: JournalLine;
}

/**
 * Reads what a part holds; `context` is the run's, read from where the part is. Null where there is none. A torn last line, which a crash
 * leaves, does not count.
 *
 * @throws StoreError where header or journal are damaged.
 */
export async function readPart(context: RunContext): Promise<Part | null> {
  const bytes = await context.source.get(partName);
  if (bytes === undefined) return null;
  const header = decodeHeader(bytes, `${context.place}/${partName}`);
  const segments = new Map<number, SegmentRecord>();
  let last: JournalLine | null = null;
  for await (const line of soundLines(context)) {
    const { record } = line;
    if (last === null && (record.type !== 'created' || record.files[partName] !== context.digest(bytes)))
      throw damaged(`${context.place}/${partName}`, 'it was changed');
    if (record.type === 'rows') for (const own of record.segments) segments.set(own.segment, own);
    last = line;
  }
  if (last === null) throw damaged(`${context.place}/journal`, 'its first line is missing');
  return { context, header, segments, last };
}

/** As `readPart`; null, too, where the part is damaged: a draft of a worker that ended is only what can be used of it. */
export async function readDraft(context: RunContext): Promise<Part | null> {
  try {
    return await readPart(context);
  } catch (error) {
    if (isLossledgerError(error)) return null;
    throw error;
  }
}

/** A segment of a part: its line of the journal, and its record of small columns. */
export interface PartSegment {
  readonly record: SegmentRecord;
  readonly bytes: Uint8Array;
  /** Chunks of large columns that are not as they were measured, by path; default none. */
  readonly changed?: ReadonlyMap<string, Uint8Array>;
}

/** Records of small columns of a part's segments in order, checksums compared. Throws StoreError where one is damaged. */
export async function* segmentsOf({ context, segments }: Part): AsyncGenerator<PartSegment> {
  const size = recordBytes(context);
  const ordered = [...segments.values()].sort((a, b) => a.segment - b.segment);
  let [window, from] = [-1, 0];
  let records: Uint8Array = new Uint8Array(0);
  for (const record of ordered) {
    const own = Math.floor(record.segment / context.windowRows);
    const at = (record.segment % context.windowRows) * size;
    if (own !== window) {
      [window, from] = [own, at];
      const range = { start: from, end: context.windowRows * size };
      records = (await context.source.get(pendingPath(window), range)) ?? new Uint8Array(0);
    }
    const bytes = records.subarray(at - from, at - from + size);
    if (context.digest(bytes) !== record.record)
      throw damaged(`${context.place}/${pendingPath(window)}`, `segment ${record.segment} was changed`);
    yield { record, bytes };
  }
}

/** The numbers of a segment's large chunks, to be read only, checksums compared. Throws StoreError where one is damaged. */
export async function chunksOf(context: RunContext, record: SegmentRecord): Promise<Map<ArraySpec, Numbers>> {
  const numbers = new Map<ArraySpec, Numbers>();
  for (const [k, spec] of context.rowArrays.entries()) {
    const path = chunkPath(spec, record.segment);
    const place = `${context.place}/${path}`;
    const bytes = await context.source.get(path);
    if (bytes === undefined) throw damaged(place, 'it is missing');
    if ((await context.chunkDigest(bytes)) !== record.rows[k]) throw damaged(place, 'its checksum differs');
    numbers.set(spec, decodeChunk(spec, bytes, place, true));
  }
  return numbers;
}

function decodeHeader(bytes: Uint8Array, path: string): PartHeader {
  let value: unknown;
  try {
    value = JSON.parse(strFromU8(bytes));
  } catch (error) {
    throw damaged(path, 'it is not JSON', error);
  }
  const result = headerSchema.safeParse(value);
  if (result.success) return result.data;
  throw damaged(path, z.prettifyError(result.error));
}
