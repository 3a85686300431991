import { gatherExamples, sharedFrom, sharedLike } from '../../data/shared.js';
import type { Dataset, Examples, SourceFile } from '../../data/types.js';
import { UsageError } from '../../errors.js';
import type { Reading } from '../../formats/reading.js';
import type { StatisticsKind } from '../../graph/statistics.js';
import { fold, key } from '../../num/random.js';
import { smallerSizes } from '../../objective/chunks.js';
import type { Division, Partition, PlannedPart } from '../../objective/plan.js';
import type { RunConfig } from '../config/schema.js';
import { type Layer, layersOf } from './layers.js';
import { partitionBy, partsEntry, type PartsEntry } from './partitions.js';
import { requireSample, sampleOf, sampleReading, sampleSize } from './sample.js';

/** Examples of one objective as they are measured, with their parts. */
export interface MeasuredObjective {
  readonly name: string;
  /** In the order of their chunks; filled up behind the last one where they are sorted by part. */
  readonly examples: Examples;
  /** Those of them that count, in the order of the data. */
  readonly counted: Examples;
  /** Null: it is not divided. */
  readonly division: Division | null;
  /** Examples that its own are a sample of, in blocks; null: they are all. */
  readonly sample: { readonly from: number; readonly blocks: number } | null;
  /** Whose mean and variance batch normalisation uses. */
  readonly statistics: StatisticsKind;
}

/** What dividing needs to know of an experiment. */
export interface DivideInput {
  readonly config: Pick<RunConfig, 'statistics' | 'parts' | 'loss' | 'sample' | 'seed'>;
  readonly dataset: Dataset;
  readonly measured: readonly string[];
  /** Examples of a chunk. */
  readonly chunk: number;
  /** Labels, or losses that the network computes, of an example. */
  readonly rows: number;
  /** Whether the loss of an example depends on the others of its chunk, where batch normalisation uses those statistics. */
  readonly mixes: (statistics: StatisticsKind) => boolean;
  /** Whether the measured loss has an L2 term, which belongs to no example. */
  readonly hasPenalty: boolean;
}

/** The objectives with their parts, and the files that these come from. */
export interface Divided {
  readonly objectives: readonly MeasuredObjective[];
  readonly files: readonly SourceFile[];
  readonly readings: readonly Reading[];
}

/**
 * Divides the objectives as `parts` says (see `partitionBy`). Where no example depends on others of its chunk, and parts are of whole examples, these are
 * sorted by part; else they stay where they are, and chunks are evaluated for each part with masks. Throws UsageError where there is nothing to
 * divide by, DataError where a file does not fit.
 */
export async function divideObjectives(input: DivideInput): Promise<Divided> {
  const { config, dataset, measured, rows } = input;
  const entries = (config.parts ?? []).map(partsEntry);
  const files: SourceFile[] = [];
  const readings: Reading[] = [];
  requireKnown(entries, measured);
  const { sample: size } = config;
  if (size !== null) requireSample({ dataset, mixes: config.statistics.some(input.mixes) }, size);
  const objectives: MeasuredObjective[] = [];
  for (const name of measured) {
    const examples = dataset.splits[name]!;
    const partitions: Partition[] = [];
    for (const entry of entries.filter((own) => divides(own, name))) {
      const { partition, file, reading } = await partitionBy(entry, { dataset, name, examples, rows });
      partitions.push(partition);
      if (file) files.push({ ...file, name: `parts of ${name}: ${file.name}` });
      if (reading) readings.push(reading);
    }
    requireDistinct(partitions, name, size);
    if (size === null) {
      objectives.push(
        ...config.statistics.map((statistics) => ({
          name: objectiveName(name, statistics),
          statistics,
          counted: examples,
          sample: null,
          ...divide(examples, partitions, input, statistics),
        })),
      );
    } else {
      const sampled = sampleOf(examples, partitions, sampleSize(size, examples, dataset), fold(key(config.seed), `sample ${name}`)); // prettier-ignore
      const { counted } = sampled;
      objectives.push(
        ...config.statistics.map((statistics) => ({
          name: objectiveName(name, statistics),
          statistics,
          counted,
          sample: sampled.sample,
          ...divide(counted, sampled.partitions, input, statistics),
        })),
      );
      readings.push(sampleReading(name, counted.count, examples.count));
    }
  }
  // Those that are alike stand together: what comes first and second is compared.
  const ordered = config.statistics.flatMap((own) =>
    objectives.filter(({ statistics }) => statistics === own),
  );
  return { objectives: ordered, files, readings };
}

/** What a set is called where it is measured: with running statistics, `SET.running`. */
export function objectiveName(set: string, statistics: StatisticsKind): string {
  return statistics === 'chunk' ? set : `${set}.running`;
}

const divides = ({ objective, kind }: PartsEntry, name: string): boolean =>
  objective === null ? kind !== 'groups' || name === 'train' : objective === name;

function requireKnown(entries: readonly PartsEntry[], measured: readonly string[]): void {
  for (const { objective, kind, file } of entries) {
    const name = objective ?? (kind === 'groups' ? 'train' : null);
    if (name === null || measured.includes(name)) continue;
    throw new UsageError({
      given: `parts ${objective === null ? '' : `${objective}:`}${file ?? kind} of ${name}, which is not measured`,
      expected: `an objective among ${measured.join(', ')}`,
      remedy: `measure ${name}, too (--measure), or name another: --parts NAME:FILE`,
    });
  }
}

/** Parts by one thing are told from those by another; a sample's blocks are of whole examples. */
function requireDistinct(
  partitions: readonly Partition[],
  name: string,
  sample: number | 'auto' | null,
): void {
  const twice = partitions.find(({ by }, k) => partitions.findIndex((other) => other.by === by) < k);
  if (twice !== undefined) {
    throw new UsageError({
      given: `two ways of dividing ${name} by ${twice.by}`,
      expected: 'each of a name of its own, which a file gives it',
      remedy: 'rename one of the files, or leave one out',
    });
  }
  const finer = partitions.find(({ rows = 1 }) => rows > 1);
  if (sample === null || finer === undefined) return;
  throw new UsageError({
    given: `a sample of ${name} with parts by ${finer.by}, which divide labels of an example`,
    expected: 'a sample with parts of whole examples, or parts of all examples',
    remedy: 'leave out sample, or train and measure on fewer examples (subset)',
  });
}

/** The examples in the order of their chunks, with the cells that the partitions make. */
function divide(
  examples: Examples,
  partitions: readonly Partition[],
  { chunk, rows, mixes, hasPenalty }: DivideInput,
  statistics: StatisticsKind,
): Pick<MeasuredObjective, 'examples' | 'division'> {
  if (partitions.length === 0) return { examples, division: null };
  const layers = layersOf(examples.count, partitions, rows);
  const parts = [
    ...layers.flatMap((layer) => layer.partitions.flatMap((_, index) => partsOf(layer, index, partitions.length > 1))), // prettier-ignore
    ...(hasPenalty ? [{ name: 'weight decay', by: null, examples: 0, cells: [] }] : []),
  ];
  const count = layers.reduce((total, { cells }) => total + cells.length, 0);
  const isByLabel = partitions.some((own) => (own.rows ?? 1) > 1);
  const division = { count, parts };
  if (!isByLabel && !mixes(statistics)) {
    return sorted(examples, layers[0]!.cellOf, division, smallerSizes(chunk)[0]! - 1);
  }
  return {
    examples,
    division: {
      ...division,
      layers: layers.map(({ cellOf }) => sharedFrom(cellOf, cellOf)),
      rows: isByLabel ? rows : 1,
      kind: mixes(statistics) ? 'masked' : 'summed',
    },
  };
}

/** Where there are other ways of dividing, groups of a file say which is theirs. */
const partName = (by: string, name: string, isOneOfMany: boolean): string =>
  isOneOfMany && by !== 'class' ? `${by}: ${name}` : name;

function partsOf(
  { partitions, cells, first, cellOf }: Layer,
  partition: number,
  isOneOfMany: boolean,
): PlannedPart[] {
  const { by, names, blocksOf } = partitions[partition]!;
  const sizes = new Int32Array(cells.length);
  for (const cell of cellOf) if (cell >= 0) sizes[cell - first]!++;
  return names.map((name, part) => {
    const own = cells.flatMap((combination, cell) => (combination[partition] === part ? [cell] : []));
    return {
      name: partName(by, name, isOneOfMany),
      by,
      blockOf: blocksOf ? partName(blocksOf.by, blocksOf.names[part]!, isOneOfMany) : null,
      examples: own.reduce((total, cell) => total + sizes[cell]!, 0),
      cells: own.map((cell) => first + cell),
    };
  });
}

/** Examples of a cell together, in their order, the last one repeated `fill` times for chunks that reach behind it. */
function sorted(
  examples: Examples,
  cellOf: Int32Array,
  division: Pick<Division, 'count' | 'parts'>,
  fill: number,
): Pick<MeasuredObjective, 'examples' | 'division'> {
  const order = [...cellOf.keys()].sort((a, b) => cellOf[a]! - cellOf[b]! || a - b);
  const filled = Uint32Array.from([...order, ...new Array<number>(fill).fill(order.at(-1)!)]);
  const cells = sharedLike(cellOf, filled.length).fill(-1);
  order.forEach((example, place) => { cells[place] = cellOf[example]!; }); // prettier-ignore
  return {
    examples: gatherExamples(examples, filled),
    division: { ...division, layers: [cells], kind: 'sorted' },
  };
}
