import * as z from 'zod';
import { environmentSchema } from './parts/environment.js';

const count = z.int().min(0);
const sha = z.string().regex(/^[0-9a-f]{64}$/);
/** SHA-256 by path inside the run folder. */
const files = z.record(z.string(), sha);

/** A measured segment. Its size does not depend on the network: it grows with the number of large arrays alone. */
const segmentSchema = z.strictObject({
  segment: count,
  /** SHA-256 of its record of small columns, which is in `pending/` or in the chunks of its window. */
  record: sha,
  /** SHA-256 of the rows of θ that it begins and ends with. */
  theta: z.tuple([sha, sha]),
  /** SHA-256 of its chunks of large columns, in the order of the arrays. */
  rows: z.array(sha),
});

export const recordSchema = z.discriminatedUnion('type', [
  /** First line: the files that follow from the manifest, and itself. */
  z.strictObject({ type: z.literal('created'), files }),
  /** θ rows and segments whose files are durable. */
  z.strictObject({
    type: z.literal('rows'),
    theta: z.array(z.strictObject({ row: count, sha256: sha })),
    segments: z.array(segmentSchema),
  }),
  /** Training ended: all θ rows are stored. */
  z.strictObject({ type: z.literal('trained'), files, stats: z.record(z.string(), z.json()) }),
  /** Segments that were measured by another machine or version than the plan of the run was for, as the user allowed. */
  z.strictObject({ type: z.literal('mixed'), from: count, to: count, environment: environmentSchema }),
  /** The small columns of a window of segments were written as chunks of their arrays. */
  z.strictObject({ type: z.literal('window'), window: count, files }),
]);

/** One line of the journal. */
export type JournalRecord = z.infer<typeof recordSchema>;
export type SegmentRecord = z.infer<typeof segmentSchema>;
export type ThetaRecord = Extract<JournalRecord, { type: 'rows' }>['theta'][number];
/** Facts about the training, for reports. */
export type TrainingStats = Extract<JournalRecord, { type: 'trained' }>['stats'];
/** Segments that were measured by another machine or version than the others. */
export type MixedSegments = Omit<Extract<JournalRecord, { type: 'mixed' }>, 'type'>;
