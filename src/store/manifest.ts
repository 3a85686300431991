import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { StoreError } from '../errors.js';
import { layoutOf } from '../ledger/layout.js';
import type { ParameterLayout } from '../ledger/types.js';

/** Version of the run folder's format. A folder of a newer version is refused. */
export const formatVersion = 1;

const count = z.int().min(0);
const sha = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hex');

/** The run's resolved configuration, as the command line states it; the store keeps it and looks no further. */
export const configSchema = z.record(z.string(), z.json());

/** Files that something was read from, with their checksums. */
const filesSchema = z.array(z.strictObject({ name: z.string(), sha256: sha }));

/** How stored examples become the network's input: divided, then centred and scaled by channel. */
const scalingSchema = z.strictObject({
  divisor: z.number(),
  mean: z.array(z.number()),
  std: z.array(z.number()),
});

const objectiveSchema = z.strictObject({
  /** Such as `softmax cross-entropy`. */
  loss: z.string(),
  /** Of the loss, and so of every allocation: `nats`, or `squared units` of the targets. */
  unit: z.string().default('nats'),
  /** Losses of examples are added and divided by their number, or by the sum of their class weights. */
  reduction: z.enum(['mean', 'weightedMean']),
  model: z.string(),
  /** The ONNX file and those beside it, whose bytes the run folder keeps; none: a built-in network. */
  modelFiles: filesSchema.default([]),
  dataset: z.string(),
  splitHash: z.string(),
  files: filesSchema,
  scaling: scalingSchema.default({ divisor: 1, mean: [], std: [] }),
  /** Examples of each split. */
  counts: z.partialRecord(z.enum(['train', 'validation', 'test']), count),
  /** Examples evaluated together. */
  chunk: count.min(1),
  /** Partial sums of an evaluation. */
  lanes: count.min(1),
  batchNorm: z.enum(['chunk', 'running']),
  dropout: z.literal('off'),
  /** In which the engine computes, and in which allocations are stored. */
  precision: z.enum(['float32', 'float64']),
});

const tensorSchema = z.strictObject({
  name: z.string(),
  shape: z.array(count),
  layer: z.string(),
  neuronAxis: count.nullable(),
  offset: count,
  size: count,
});

const splitsSchema = z
  .array(z.enum(['train', 'validation']))
  .min(1)
  .refine((splits) => new Set(splits).size === splits.length, 'each split once');

/** manifest.json: what defines a run. Nothing in it depends on when or where the run was made. */
export const manifestSchema = z.strictObject({
  format: z.literal('lossledger'),
  formatVersion: z.literal(formatVersion),
  /** Version of Lossledger that made the run. */
  createdBy: z.string(),
  config: configSchema,
  objective: objectiveSchema,
  /** Tensors of θ, end to end. */
  parameters: z.array(tensorSchema).min(1),
  layers: z.array(z.strictObject({ name: z.string(), neurons: count })),
  trajectory: z.strictObject({
    /** T: steps from one θ row to the next. */
    iterations: count.min(1),
    /** Training iteration of each θ row [T+1]; null: 0…T. */
    iteration: z.array(count).nullable(),
    /** Files that θ was read from; none: trained here. */
    files: filesSchema.default([]),
    /** B: examples of a mini-batch, whose order is stored; null: no order is known. */
    batchSize: count.min(1).nullable(),
  }),
  quadrature: z.strictObject({
    rule: z.string(),
    tolerance: z.number().nullable(),
    /** Null: the rule's fewest. */
    subintervals: count.min(1).nullable(),
    maxSubintervals: count.min(1),
  }),
  /** Finest allocations that are stored. */
  keep: z.enum(['parameters', 'neurons', 'layers']),
  /** Measured splits, in the order of the objectives. */
  splits: splitsSchema,
  engine: z.strictObject({ name: z.string(), version: z.string() }),
  seed: z.int(),
});

/** What defines a run. */
export type Manifest = z.infer<typeof manifestSchema>;
/** What a caller states; the format's name and version are added. */
export type ManifestContent = Omit<z.input<typeof manifestSchema>, 'format' | 'formatVersion'>;

/** Checks a manifest and the parameter layout in it. `path` is for messages. */
export function parseManifest(value: unknown, path: string): Manifest {
  refuseOther(value, path);
  const result = manifestSchema.safeParse(value);
  if (!result.success) throw invalid(path, z.prettifyError(result.error));
  const { parameters, layers, trajectory } = result.data;
  const layout = layoutOf(parameters);
  const expected = layout.layers.map((name, index) => ({ name, neurons: layout.neurons[index]! }));
  if (!isDeepStrictEqual(layout.tensors, parameters) || !isDeepStrictEqual(expected, layers)) {
    throw invalid(path, 'parameters do not lie end to end, or do not fit the layers');
  }
  if (trajectory.iteration !== null && trajectory.iteration.length !== trajectory.iterations + 1) {
    throw invalid(path, `trajectory.iteration holds ${trajectory.iteration.length} numbers`);
  }
  return result.data;
}

/** Reads manifest.json's bytes. */
export function decodeManifest(bytes: Uint8Array, path: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (error) {
    throw invalid(path, `it is not JSON (${error instanceof Error ? error.message : String(error)})`);
  }
  return parseManifest(value, path);
}

/** manifest.json's bytes; equal manifests give equal bytes. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  return Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
}

/** How θ is partitioned. */
export function layoutOfManifest(manifest: Manifest): ParameterLayout {
  return layoutOf(manifest.parameters);
}

function refuseOther(value: unknown, path: string): void {
  const version = z.looseObject({ formatVersion: z.number() }).safeParse(value).data?.formatVersion;
  if (version === undefined || version <= formatVersion) return;
  throw new StoreError({
    given: `${path} is of format version ${version}`,
    expected: `format version ${formatVersion}, the newest that this Lossledger knows`,
    remedy: 'use the Lossledger that made the run, or a newer one',
  });
}

function invalid(path: string, what: string): StoreError {
  return new StoreError({
    given: `${path} is not a valid manifest: ${what}`,
    expected: `a manifest of format version ${formatVersion}`,
    remedy: 'restore the file from a copy, or make the run again',
  });
}
