import { strFromU8, strToU8 } from 'fflate';
import * as z from 'zod';
import { isPlainText, StoreError } from '../errors.js';
import type { RowDivision } from '../ledger/laws/law.js';
import { ruleNames } from '../quadrature/rules.js';
import { layoutOf } from '../ledger/layout.js';
import { parameterKinds, type ParameterLayout, type SampleBlocks } from '../ledger/types.js';

/** Version of the run folder's format. A folder of another version is refused. */
export const formatVersion = 2;

const count = z.int().min(0);
/** One line that can be printed: a run that somebody else made must not command a terminal. */
const text = z.string().refine(isPlainText, 'text of one line without control characters');
/** Rows of arrays are kept track of in memory: more of them are a damaged manifest, or a mistake. */
const mostIterations = 2 ** 24;
const mostParameters = 2 ** 32;
const sha = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hex');

/** The run's resolved configuration, as the command line states it; the store keeps it and looks no further. */
export const configSchema = z.record(z.string(), z.json());

/** Files that something was read from, with the checksums of their bytes; of an archive of arrays `content`, too: a digest of those that were read, which is the same however they are archived (docs/FORMAT.md). */
const filesSchema = z.array(z.strictObject({ name: text, sha256: sha, content: sha.optional() }));

/** How stored examples become the network's input: divided, then centred and scaled by channel. */
const scalingSchema = z.strictObject({
  divisor: z.number(),
  mean: z.array(z.number()),
  std: z.array(z.number()),
});

/** Names become parts of paths. */
const name = z.string().regex(/^[A-Za-z0-9][\w.-]*$/, 'letters, digits, . _ and -');

/** What all objectives have in common: everything but their examples. */
const definitionSchema = z.strictObject({
  /** Such as `softmax cross-entropy`. */
  loss: text,
  /** Of the loss, and so of every allocation: `nats`, or `squared units` of the targets. */
  unit: text.default('nats'),
  /** Losses are added and divided by how many labels count, by how many examples (means over their labels) do, or by the sum of class weights. */
  reduction: z.enum(['tokenMean', 'exampleMean', 'weightedMean']),
  model: text,
  /** The ONNX file and those beside it, whose bytes the run folder keeps; none: a built-in network. */
  modelFiles: filesSchema.default([]),
  dataset: text,
  splitHash: text,
  /** Sets that were drawn from what the source has of them: the places of their examples are stored. */
  drawn: z.array(name).default([]),
  files: filesSchema,
  scaling: scalingSchema.default({ divisor: 1, mean: [], std: [] }),
  /** Shape of one example as the network takes it; empty: not stated. */
  exampleShape: z.array(count).default([]),
  /** Examples of each set that the data hold, measured or not. */
  counts: z.record(z.string(), count),
  /** Examples evaluated together. */
  chunk: count.min(1),
  /** Partial sums of an evaluation. */
  lanes: count.min(1),
  /** Whose statistics the network's batch normalisation uses, unless an objective says otherwise; none: it has no such statistics. */
  batchNorm: z.enum(['chunk', 'running', 'none']),
  dropout: z.literal('off'),
  /** In which the engine computes, and in which allocations are stored. */
  precision: z.enum(['float32', 'float64']),
});

const readingSchema = z.strictObject({
  about: text,
  decision: text,
  evidence: text,
  /** Whether the user may not have meant it. */
  warning: z.boolean().optional(),
});

const isDistinct = (items: readonly { readonly name: string }[]) =>
  new Set(items.map((item) => item.name)).size === items.length;

const objectiveSchema = z.strictObject({
  name,
  /** Subsets of its examples whose losses are kept apart, with their sizes. */
  parts: z
    .array(
      z.strictObject({
        name: text,
        examples: count,
        /** What it is a part by, such as `class`: the parts by one thing add up to the whole. Null: the L2 term, which each of them needs. */
        by: text.nullable().default('all'),
        /** Name of the part whose examples of one block of the sample it has; null: it is no block of a part. */
        blockOf: text.nullable().default(null),
      }),
    )
    .min(1)
    .refine(isDistinct, 'each part once'),
  /** Whose mean and variance batch normalisation uses: of each chunk, or running ones, which are tensors of the kind statistics in θ. */
  statistics: z.enum(['chunk', 'running']).default('chunk'),
  /** How its examples are ordered in chunks: as in the data set, or those of a part together. */
  order: z.enum(['source', 'parts']).default('source'),
  /** Number of examples that its own are a sample of, in blocks, which are parts by `block`; null: they are all. */
  sample: z
    .strictObject({ from: count.min(1), blocks: count.min(2) })
    .nullable()
    .default(null),
});

const tensorSchema = z.strictObject({
  name: text,
  shape: z.array(count),
  layer: text,
  neuronAxis: count.nullable(),
  inputAxis: count.nullable().default(null),
  kind: z.enum(parameterKinds).default('other'),
  offset: count,
  size: count,
});

/** manifest.json: what defines a run. Nothing in it depends on when or where the run was made. */
export const manifestSchema = z.strictObject({
  format: z.literal('lossledger'),
  formatVersion: z.literal(formatVersion),
  /** Version of Lossledger that made the run. */
  createdBy: text,
  config: configSchema,
  definition: definitionSchema,
  /** What is measured, in the order of all lists by objective. */
  objectives: z.array(objectiveSchema).min(1).refine(isDistinct, 'each objective once'),
  /** Tensors of θ, end to end. */
  parameters: z.array(tensorSchema).min(1),
  layers: z.array(z.strictObject({ name: text, neurons: count })),
  /** Attention heads, where the network shows them, and the user's own groupings: cells by patterns over names of tensors. */
  groupings: z.array(z.strictObject({ name, cells: z.array(z.strictObject({ name: text, patterns: z.array(text).min(1) })).min(1) })).default([]), // prettier-ignore
  trajectory: z.strictObject({
    /** T: steps from one θ row to the next. */
    iterations: count.min(1).max(mostIterations),
    /** Training iteration of each θ row [T+1]; null: 0…T. */
    iteration: z.array(count).nullable(),
    /** Files that θ was read from; none: trained here. */
    files: filesSchema.default([]),
    /** B: examples of a mini-batch, whose order is stored; null: no order is known. */
    batchSize: count.min(1).nullable(),
  }),
  /** What was decided about the user's files, and what showed it. */
  readings: z.array(readingSchema).default([]),
  quadrature: z.strictObject({
    rule: z.enum(ruleNames),
    tolerance: z.number().nullable(),
    /** Null: the rule's fewest. */
    subintervals: count.min(1).nullable(),
    maxSubintervals: count.min(1),
    /** Share of the signs that refinement makes certain; null: not estimated. */
    certify: z.number().min(0).lt(1).nullable().default(null),
  }),
  /** Finest allocations that are stored. */
  keep: z.enum(['parameters', 'neurons', 'layers']),
  /** Whether those of parts are stored by parameter, too. */
  keepParts: z.enum(['sums', 'parameters']).default('sums'),
  /** What updates are split into, rounding last; empty: they are not. */
  components: z
    .array(text.min(1))
    .default([])
    .refine((names) => new Set(names).size === names.length, 'each component once'),
  /** Whether the components' allocations are stored by parameter, too. */
  keepComponents: z.enum(['sums', 'parameters']).default('sums'),
  /** By which directions the total is divided: of files, or principal components of the trajectory; null: by none. */
  basis: z
    .strictObject({ kind: z.enum(['file', 'principal']), directions: count.min(1), files: filesSchema })
    .nullable()
    .default(null),
  /** What of the network and its recording is not in θ: what looks like a parameter and stays, other constants, recorded tensors that were passed over with their squared motion, which is null of a recording that was followed. */
  leftOut: z
    .array(
      z.strictObject({
        name: text,
        numbers: count,
        why: z.enum(['held constant', 'constant', 'not in the model']),
        motion: z.number().min(0).nullable(),
      }),
    )
    .default([]),
  engine: z.strictObject({ name: text, version: text }),
  seed: z.int(),
  /** Whether chunks of the ledger are kept many in one file. */
  packed: z.literal(true).optional(),
});

/** What defines a run. */
export type Manifest = z.infer<typeof manifestSchema>;
/** What a caller states; the format's name and version are added. */
export type ManifestContent = Omit<z.input<typeof manifestSchema>, 'format' | 'formatVersion'>;

/** Checks a manifest and the parameter layout in it. `path` is for messages. Throws StoreError. */
export function parseManifest(value: unknown, path: string): Manifest {
  refuseOther(value, path);
  const result = manifestSchema.safeParse(value);
  if (!result.success) throw invalid(path, z.prettifyError(result.error));
  const { parameters, layers, trajectory } = result.data;
  const layout = layoutOf(parameters);
  if (layout.size > mostParameters) throw invalid(path, `${layout.size} parameters`);
  const expected = layout.layers.map((layer, index) => ({ name: layer, neurons: layout.neurons[index]! }));
  if (!isSame(layout.tensors, parameters) || !isSame(expected, layers)) {
    throw invalid(path, 'parameters do not lie end to end, or do not fit the layers');
  }
  if (trajectory.iteration !== null && trajectory.iteration.length !== trajectory.iterations + 1) {
    throw invalid(path, `trajectory.iteration holds ${trajectory.iteration.length} numbers`);
  }
  return result.data;
}

/** Lists of records with the same keys and values; the order of keys does not matter. */
function isSame(a: readonly object[], b: readonly object[]): boolean {
  const text = (items: readonly object[]) =>
    JSON.stringify(items.map((item) => Object.entries(item).sort(([x], [y]) => (x < y ? -1 : 1))));
  return text(a) === text(b);
}

/** Reads manifest.json's bytes. Throws StoreError. */
export function decodeManifest(bytes: Uint8Array, path: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(strFromU8(bytes));
  } catch (error) {
    throw invalid(path, `it is not JSON (${error instanceof Error ? error.message : String(error)})`);
  }
  return parseManifest(value, path);
}

/** manifest.json's bytes; equal manifests give equal bytes. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  return strToU8(`${JSON.stringify(manifest, null, 2)}\n`);
}

/** How an objective is divided, for the laws of its columns: gradients of masked chunks are rounded anew. */
export function divisionOf({ objectives, definition }: Manifest, objective: number): RowDivision {
  const { parts, order } = objectives[objective]!;
  const masked = order === 'source' && definition.precision === 'float32';
  return { by: parts.map(({ by }) => by), tolerance: masked ? 2 ** -12 : 2 ** -30 };
}

/** The blocks of an objective's sample, or of one of its parts; null where it was measured on all examples, or the part has none. */
export function sampleBlocksOf(
  { parts, sample }: Manifest['objectives'][number],
  part: Manifest['objectives'][number]['parts'][number] | null = null,
): SampleBlocks | null {
  const isOwn = (one: (typeof parts)[number]): boolean =>
    part === null ? one.by === 'block' : one.blockOf === part.name;
  const members = [...parts.keys()].filter((index) => isOwn(parts[index]!));
  if (sample === null || members.length < 2) return null;
  const examples = members.map((index) => parts[index]!.examples);
  // Of a part nobody counts the examples that it was drawn from: by class it has its share.
  const size = parts.filter((own) => own.by === 'block').reduce((total, own) => total + own.examples, 0);
  const own = examples.reduce((total, count) => total + count, 0);
  return { from: part === null ? sample.from : (own / size) * sample.from, members, examples };
}

/** How θ is partitioned. */
export function layoutOfManifest(manifest: Manifest): ParameterLayout {
  return layoutOf(manifest.parameters, manifest.groupings);
}

function refuseOther(value: unknown, path: string): void {
  const version = z.looseObject({ formatVersion: z.number() }).safeParse(value).data?.formatVersion;
  if (version === undefined || version === formatVersion) return;
  throw new StoreError({
    given: `${path} is of format version ${version}`,
    expected: `format version ${formatVersion}, the only one that this Lossledger reads`,
    remedy:
      version > formatVersion
        ? 'use the Lossledger that made the run, or a newer one'
        : 'make the run again, or read it with the Lossledger that made it',
  });
}

function invalid(path: string, what: string): StoreError {
  return new StoreError({
    given: `${path} is not a valid manifest: ${what}`,
    expected: `a manifest of format version ${formatVersion}`,
    remedy: 'restore the file from a copy, or make the run again',
  });
}
