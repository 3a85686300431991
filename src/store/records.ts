import { z } from 'zod';

const count = z.int().min(0);
const sha = z.string().regex(/^[0-9a-f]{64}$/);
/** SHA-256 by path inside the run folder. */
const files = z.record(z.string(), sha);

const splitSchema = z.strictObject({
  /** L(θ_t), L(θ_{t+1}). */
  loss: z.tuple([z.number(), z.number()]),
  total: z.number(),
  residual: z.number(),
  leftResidual: z.number(),
  layerSums: z.array(z.number()),
  helping: z.array(count),
  hurting: z.array(count),
  zero: z.array(count),
});

const segmentSchema = z.strictObject({
  segment: count,
  subintervals: count,
  evaluations: count,
  splits: z.partialRecord(z.enum(['train', 'validation']), splitSchema),
  /** Row chunks of this segment. */
  files,
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
  /** The small series were written as arrays, up to so many segments; the run is sealed once these are all. */
  z.strictObject({ type: z.literal('series'), segments: count, files }),
]);

/** One line of the journal. */
export type JournalRecord = z.infer<typeof recordSchema>;
export type SegmentRecord = z.infer<typeof segmentSchema>;
export type SplitRecord = z.infer<typeof splitSchema>;
export type ThetaRecord = Extract<JournalRecord, { type: 'rows' }>['theta'][number];
/** Facts about the training, for reports. */
export type TrainingStats = Extract<JournalRecord, { type: 'trained' }>['stats'];
