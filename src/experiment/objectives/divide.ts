import { basename } from 'node:path';
import { readGroups } from '../../data/groups.js';
import { gatherExamples, sharedFrom, sharedLike } from '../../data/shared.js';
import type { Dataset, Examples, SourceFile } from '../../data/types.js';
import { UsageError } from '../../errors.js';
import type { Reading } from '../../formats/reading.js';
import type { StatisticsKind } from '../../graph/statistics.js';
import { fold, key } from '../../num/random.js';
import { smallerSizes } from '../../objective/chunks.js';
import type { Division, Partition, PlannedPart } from '../../objective/plan.js';
import type { RunConfig } from '../config/schema.js';
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

/** An entry of `parts`. */
export interface PartsEntry {
  /** Objective that it divides; null: classes divide all, a file divides `train`. */
  readonly objective: string | null;
  /** `class`, or the path of a file of group names. */
  readonly by: string;
}

/** Reads an entry of `parts`: `class`, `groups.npy`, or `NAME:groups.csv`. */
export function partsEntry(entry: string): PartsEntry {
  const match = /^([A-Za-z0-9][\w.-]+):(.+)$/.exec(entry);
  return match === null ? { objective: null, by: entry } : { objective: match[1]!, by: match[2]! };
}

/** What dividing needs to know of an experiment. */
export interface DivideInput {
  readonly config: Pick<RunConfig, 'statistics' | 'parts' | 'labelSmoothing' | 'loss' | 'sample' | 'seed'>;
  readonly dataset: Dataset;
  readonly measured: readonly string[];
  /** Examples of a chunk. */
  readonly chunk: number;
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
 * Divides the objectives as `parts` says: by class, or by a file with a group name for each example. Where no example depends on others
 * of its chunk, examples are sorted by part; else they stay where they are, and chunks are evaluated again with masks. Throws UsageError
 * where there is nothing to divide by, DataError where a file does not fit.
 */
export async function divideObjectives(input: DivideInput): Promise<Divided> {
  const { config, dataset, measured } = input;
  const entries = (config.parts ?? []).map(partsEntry);
  const files: SourceFile[] = [];
  const readings: Reading[] = [];
  requireKnown(entries, measured);
  const { sample: size } = config;
  if (entries.length > 0 || size !== null) requireMaskable(config);
  if (size !== null) requireSample({ dataset, mixes: config.statistics.some(input.mixes) }, size);
  const objectives: MeasuredObjective[] = [];
  for (const name of measured) {
    const examples = dataset.splits[name]!;
    const partitions: Partition[] = [];
    for (const { by } of entries.filter((entry) => divides(entry, name))) {
      if (by === 'class') partitions.push(classesOf(examples, dataset, name));
      else {
        const { partition, file, reading } = await groupsOf(by, name, input);
        partitions.push(partition);
        files.push({ ...file, name: `parts of ${name}: ${file.name}` });
        readings.push(reading);
      }
    }
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

const divides = ({ objective, by }: PartsEntry, name: string): boolean =>
  objective === null ? by === 'class' || name === 'train' : objective === name;

function requireKnown(entries: readonly PartsEntry[], measured: readonly string[]): void {
  for (const { objective, by } of entries) {
    const name = objective ?? (by === 'class' ? null : 'train');
    if (name === null || measured.includes(name)) continue;
    throw new UsageError({
      given: `parts ${objective === null ? '' : `${objective}:`}${by} of ${name}, which is not measured`,
      expected: `an objective among ${measured.join(', ')}`,
      remedy: `measure ${name}, too (--measure), or name another: --parts NAME:FILE`,
    });
  }
}

/** Masks take examples out of the loss by a label, which label smoothing would spread over. */
function requireMaskable({ labelSmoothing }: DivideInput['config']): void {
  if (labelSmoothing === 0) return;
  throw new UsageError({
    given: `parts or a sample with labelSmoothing ${labelSmoothing}`,
    expected: 'parts or samples of a loss without label smoothing',
    remedy: 'leave out one of the two',
  });
}

function classesOf(
  { labels, count }: Examples,
  { classes, labelling, name: data }: Dataset,
  objective: string,
): Partition {
  if (!(labels instanceof Int32Array) || classes === 0 || labels.length !== count) {
    throw new UsageError({
      given: `parts class of ${objective}, whose labels in data set ${data} are not one class an example`,
      expected: 'labels [N] of classes',
      remedy: 'name the group of each example in a file: --parts groups.csv',
    });
  }
  const names = Array.from({ length: classes }, (_, label) => `class ${label}`);
  if (labelling.ignored !== null) names.push('not counted');
  return { by: 'class', names, partOf: labels };
}

async function groupsOf(
  path: string,
  objective: string,
  { dataset }: DivideInput,
): Promise<{ partition: Partition; file: SourceFile; reading: Reading }> {
  const { names, file, mayHaveHeading } = await readGroups(path);
  const { count } = dataset.splits[objective]!;
  const drawn = dataset.drawn[objective];
  const hasHeading =
    mayHaveHeading && [count, drawn?.from].includes(names.length - 1) && names.length !== count;
  const rows = hasHeading ? names.slice(1) : names;
  const own =
    rows.length === count || drawn?.from !== rows.length
      ? rows
      : Array.from(drawn.places, (place) => rows[place]!);
  if (own.length !== count) throw misfitting(path, rows.length, objective, count, drawn?.from);
  const distinct = [...new Set(own)].sort(byNumberOrText);
  const index = new Map(distinct.map((name, part) => [name, part]));
  const by = basename(path).replace(/\.[^.]+$/, '');
  const used = `${distinct.length} groups: ${distinct.slice(0, 5).join(', ')}${distinct.length > 5 ? ', …' : ''}`;
  const evidence = own === rows ? `one name for each of ${count} examples` : `one name for each of the ${rows.length} examples that ${objective} was drawn from`; // prettier-ignore
  return {
    partition: { by, names: distinct, partOf: Int32Array.from(own, (name) => index.get(name)!) },
    file,
    reading: {
      about: `parts of ${objective}`,
      decision: `${used}${hasHeading ? `; the first line, ${names[0]!}, is a heading` : ''}`,
      evidence: `${file.name}, ${evidence}`,
    },
  };
}

/** Numbers by size, before text by code points. */
function byNumberOrText(a: string, b: string): number {
  const [x, y] = [Number(a), Number(b)];
  if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
  return x - y || (a < b ? -1 : a > b ? 1 : 0);
}

function misfitting(
  path: string,
  given: number,
  objective: string,
  count: number,
  from?: number,
): UsageError {
  const pool = from === undefined || from === count ? '' : `, or ${from}, as the data have it was drawn from`;
  return new UsageError({
    given: `${path} with ${given} group names`,
    expected: `${count}, one for each example of ${objective}${pool}`,
    remedy: `give the groups of another objective as NAME:${path}`,
  });
}

/** The examples in the order of their chunks, with the cells that all partitions together make. */
function divide(
  examples: Examples,
  partitions: readonly Partition[],
  { chunk, mixes, hasPenalty }: DivideInput,
  statistics: StatisticsKind,
): Pick<MeasuredObjective, 'examples' | 'division'> {
  if (partitions.length === 0) return { examples, division: null };
  const { cellOf, cells } = cellsOf(examples.count, partitions);
  const parts = [
    ...partitions.flatMap((partition, index) => partsOf(partition, index, cells, cellOf, partitions.length > 1)), // prettier-ignore
    ...(hasPenalty ? [{ name: 'weight decay', by: null, examples: 0, cells: [] }] : []),
  ];
  const division = { cellOf, count: cells.length, parts };
  if (mixes(statistics)) {
    return { examples, division: { ...division, cellOf: sharedFrom(cellOf, cellOf), kind: 'masked' } };
  }
  return sorted(examples, division, smallerSizes(chunk)[0]! - 1);
}

/** Cells: one for each combination of parts that occurs, in their order [cells][partitions]. */
function cellsOf(count: number, partitions: readonly Partition[]) {
  const keyOf = (example: number) =>
    partitions.reduce((key, { partOf, names }) => key * names.length + partOf[example]!, 0);
  const keys = Float64Array.from({ length: count }, (_, example) => keyOf(example));
  const distinct = [...new Set(keys)].sort((a, b) => a - b);
  const index = new Map(distinct.map((key, cell) => [key, cell]));
  const first = new Map<number, number>();
  for (let example = count - 1; example >= 0; example--) first.set(keys[example]!, example);
  return {
    cellOf: Int32Array.from(keys, (key) => index.get(key)!),
    cells: distinct.map((key) => partitions.map(({ partOf }) => partOf[first.get(key)!]!)),
  };
}

function partsOf(
  { by, names }: Partition,
  partition: number,
  cells: readonly (readonly number[])[],
  cellOf: Int32Array,
  isOneOfMany: boolean,
): PlannedPart[] {
  const sizes = new Int32Array(cells.length);
  for (const cell of cellOf) sizes[cell]!++;
  return names.map((name, part) => {
    const own = cells.flatMap((combination, cell) => (combination[partition] === part ? [cell] : []));
    return {
      name: isOneOfMany && by !== 'class' ? `${by}: ${name}` : name,
      by,
      examples: own.reduce((total, cell) => total + sizes[cell]!, 0),
      cells: own,
    };
  });
}

/** Examples of a cell together, in their order, the last one repeated `fill` times for chunks that reach behind it. */
function sorted(
  examples: Examples,
  { cellOf, ...division }: Omit<Division, 'kind'>,
  fill: number,
): Pick<MeasuredObjective, 'examples' | 'division'> {
  const order = [...cellOf.keys()].sort((a, b) => cellOf[a]! - cellOf[b]! || a - b);
  const filled = Uint32Array.from([...order, ...new Array<number>(fill).fill(order.at(-1)!)]);
  const cells = sharedLike(cellOf, filled.length).fill(-1);
  order.forEach((example, place) => { cells[place] = cellOf[example]!; }); // prettier-ignore
  return {
    examples: gatherExamples(examples, filled),
    division: { ...division, cellOf: cells, kind: 'sorted' },
  };
}
