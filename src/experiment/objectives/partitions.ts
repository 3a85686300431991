import { basename } from 'node:path';
import { type GroupsFile, readGroups } from '../../data/groups.js';
import type { Dataset, Examples, SourceFile } from '../../data/types.js';
import { UsageError } from '../../errors.js';
import type { Reading } from '../../formats/reading.js';
import type { Partition } from '../../objective/plan.js';

/** An entry of `parts`. */
export interface PartsEntry {
  /** Objective that it divides; null: a file of groups divides `train`, all else every objective. */
  readonly objective: string | null;
  readonly kind: 'class' | 'tokens' | 'positions' | 'groups';
  /** Path of a file of group names: of classes for `tokens`, else of examples or their labels. */
  readonly file: string | null;
  /** Of positions, such as `0-3,4-`. */
  readonly ranges: string;
}

/** Reads an entry of `parts`: `class`, `tokens`, `tokens:FILE`, `positions:0-3,4-`, `FILE`, each also behind the name of an objective and a colon. */
export function partsEntry(entry: string): PartsEntry {
  const known = /^(?:([A-Za-z0-9][\w.-]+):)??(class|tokens|positions)(?::(.+))?$/.exec(entry);
  const [, objective = null, kind, rest = null] = known ?? [];
  if (kind === 'positions') return { objective, kind, file: null, ranges: rest ?? '' };
  if (kind === 'tokens') return { objective, kind, file: rest, ranges: '' };
  if (kind === 'class' && rest === null) return { objective, kind, file: null, ranges: '' };
  const [, own = null, file = entry] = /^([A-Za-z0-9][\w.-]+):(.+)$/.exec(entry) ?? [];
  return { objective: own, kind: 'groups', file, ranges: '' };
}

/** What dividing an objective needs to know of it. */
export interface PartitionInput {
  readonly dataset: Dataset;
  /** The objective's name and examples. */
  readonly name: string;
  readonly examples: Examples;
  /** Labels, or losses that the network computes, of an example. */
  readonly rows: number;
}

/** A way in which an objective falls into parts, with the file that says so. */
export interface Partitioned {
  readonly partition: Partition;
  readonly file: SourceFile | null;
  readonly reading: Reading | null;
}

/**
 * The parts of an objective by an entry: its classes, groups of its labels' classes, ranges of positions, or groups that a file gives.
 * Throws UsageError where there is nothing to divide by or something is left over, DataError where a file is damaged.
 */
export async function partitionBy(entry: PartsEntry, input: PartitionInput): Promise<Partitioned> {
  if (entry.kind === 'class') return { partition: classesOf(input), file: null, reading: null };
  if (entry.kind === 'tokens') return tokensOf(entry.file, input);
  if (entry.kind === 'groups') return groupsOf(entry.file!, input);
  return { partition: positionsOf(entry.ranges, input), file: null, reading: null };
}

function classesOf({ examples, dataset, name }: PartitionInput): Partition {
  const { classes, labelling } = dataset;
  const { labels, count } = examples;
  if (!(labels instanceof Int32Array) || classes === 0 || labels.length !== count) {
    throw new UsageError({
      given: `parts class of ${name}, whose labels in data set ${dataset.name} are not one class an example`,
      expected: 'labels [N] of classes',
      remedy:
        'name groups of the labels’ classes (--parts tokens:FILE), or of the examples (--parts groups.csv)',
    });
  }
  const names = Array.from({ length: classes }, (_, label) => `class ${label}`);
  if (labelling.ignored !== null) names.push(notCounted);
  return { by: 'class', names, partOf: labels };
}

/** Part of the examples whose label does not count. */
const notCounted = 'not counted';

/** Groups of the classes that labels are, as a file or else the data set gives them. */
async function tokensOf(path: string | null, input: PartitionInput): Promise<Partitioned> {
  const { examples, dataset, rows, name } = input;
  const { classes, labelling, classGroups = null } = dataset;
  const { labels } = examples;
  if (!(labels instanceof Int32Array) || classes === 0) {
    throw nothingToTell(`parts tokens of ${name}, whose labels in data set ${dataset.name} are no classes`, 'labels [N, T] of classes'); // prettier-ignore
  }
  if (path === null && classGroups === null) {
    throw new UsageError({
      given: `parts tokens of data set ${dataset.name}, which names no groups of its ${classes} classes`,
      expected: `a file with a group for each of them`,
      remedy: 'name it: --parts tokens:groups.npy',
    });
  }
  const read = path === null ? null : withoutHeading(await readGroups(path), (given) => given === classes);
  if (read !== null && (read.names.length !== classes || read.width !== 1)) {
    throw new UsageError({
      given: `${path!} with ${read.names.length} group names`,
      expected: `${classes}, one for each class of the labels`,
      remedy: 'save a group for each vocabulary entry, in the order of their numbers',
    });
  }
  const groups = read?.names ?? classGroups!.groups;
  const partition = grouped(read === null ? classGroups!.by : stemOf(path!), groups);
  const { ignored } = labelling;
  const names = ignored !== null && rows === 1 ? [...partition.names, notCounted] : partition.names;
  const left = rows === 1 ? partition.names.length : -1;
  return {
    partition: {
      by: partition.by,
      names,
      rows,
      partOf: labels.map((label) => (label === ignored ? left : partition.partOf[label]!)),
    },
    file: read?.file ?? null,
    reading: readingOf(name, partition.names, `${read?.file.name ?? `data set ${dataset.name}`}, a group for each of ${classes} classes; a label counts for that of its own`), // prettier-ignore
  };
}

/** Ranges of the positions of an example's labels, which cover each once. */
function positionsOf(ranges: string, { examples, rows, name, dataset }: PartitionInput): Partition {
  if (rows === 1) {
    throw nothingToTell(`parts positions of ${name}, which has one label an example`, 'labels [N, T], or losses [N, T] that the network computes'); // prettier-ignore
  }
  const at = new Int32Array(rows).fill(-1);
  const names = ranges.split(',').map((range, part) => {
    const [, first, dash, last] = /^(\d+)(-)?(\d*)$/.exec(range.trim()) ?? [];
    const from = Number(first);
    const to = dash === undefined ? from : last === '' ? rows - 1 : Number(last);
    if (!(from <= to) || to >= rows || at.subarray(from, to + 1).some((own) => own >= 0)) {
      throw badRanges(`range ${range} of positions:${ranges}`, rows);
    }
    at.fill(part, from, to + 1);
    return from === to ? String(from) : `${from}-${to}`;
  });
  const missing = at.indexOf(-1);
  if (missing >= 0) throw badRanges(`positions:${ranges}, which leaves out ${missing}`, rows);
  const partOf = Int32Array.from({ length: examples.count * rows }, (_, row) => at[row % rows]!);
  return { by: 'position', names, rows, partOf: onlyCounted(partOf, examples, dataset) };
}

function badRanges(given: string, rows: number): UsageError {
  return new UsageError({
    given,
    expected: `ranges that cover each of the positions 0 to ${rows - 1} once`,
    remedy: `for example --parts positions:0-${Math.floor((rows - 1) / 2)},${Math.floor((rows - 1) / 2) + 1}-`,
  });
}

/** Groups of examples, or of each of their labels, as a file gives them. */
async function groupsOf(
  path: string,
  { examples, dataset, rows, name }: PartitionInput,
): Promise<Partitioned> {
  const { count } = examples;
  const drawn = dataset.drawn[name];
  const read = withoutHeading(await readGroups(path), (given) => [count, drawn?.from].includes(given));
  const { width, file, heading } = read;
  const given = read.names.length / Math.max(1, width);
  if (width !== 1 && width !== rows) {
    throw new UsageError({
      given: `${path} with ${width} group names for each example`,
      expected: rows === 1 ? 'one' : `one, or ${rows}, one for each of its labels`,
      remedy: 'save an array [N], or of the labels’ shape',
    });
  }
  if (given !== count && drawn?.from !== given) throw misfitting(path, given, name, count, drawn?.from);
  const names =
    given === count
      ? read.names
      : Array.from(drawn!.places, (place) => read.names.slice(place * width, (place + 1) * width)).flat();
  const partition = grouped(stemOf(path), names);
  const each = width === 1 ? 'one name' : `${width} names`;
  const evidence = given === count ? `${each} for each of ${count} examples` : `${each} for each of the ${given} examples that ${name} was drawn from`; // prettier-ignore
  return {
    partition: width === 1 ? partition : { ...partition, rows, partOf: onlyCounted(partition.partOf, examples, dataset) }, // prettier-ignore
    file,
    reading: readingOf(name, partition.names, `${file.name}, ${evidence}`, {
      heading,
      isEachOwn: partition.names.length === names.length && names.length > fewExamples,
    }),
  };
}

/** So many examples may be looked at one by one. */
const fewExamples = 16;

/** A file of groups without its heading, where it has a line more than `fits` and the first line's names are no groups of others. */
function withoutHeading(
  read: GroupsFile,
  fits: (rows: number) => boolean,
): GroupsFile & { heading: string | null } {
  const { names, width, mayHaveHeading } = read;
  const rows = names.length / Math.max(1, width);
  const [first, others] = [names.slice(0, width), new Set(names.slice(width))];
  if (!mayHaveHeading || fits(rows) || !fits(rows - 1) || first.some((name) => others.has(name)))
    return { ...read, heading: null };
  return { ...read, names: names.slice(width), heading: first.join(',') };
}

/** The partition by the names of examples, labels or classes, which are sorted. */
function grouped(by: string, own: readonly string[]): Partition {
  const names = [...new Set(own)].sort(byNumberOrText);
  const index = new Map(names.map((name, part) => [name, part]));
  return { by, names, partOf: Int32Array.from(own, (name) => index.get(name)!) };
}

/** Labels that do not count are of no part. */
function onlyCounted(partOf: Int32Array, { labels }: Examples, { labelling }: Dataset): Int32Array {
  const { ignored } = labelling;
  if (ignored === null || labels.length !== partOf.length) return partOf;
  return partOf.map((part, row) => (labels[row] === ignored ? -1 : part));
}

const stemOf = (path: string): string => basename(path).replace(/\.[^.]+$/, '');

function readingOf(
  objective: string,
  names: readonly string[],
  evidence: string,
  { heading = null, isEachOwn = false }: { heading?: string | null; isEachOwn?: boolean } = {},
): Reading {
  const used = `${names.length} groups: ${names.slice(0, 5).join(', ')}${names.length > 5 ? ', …' : ''}`;
  return {
    about: `parts of ${objective}`,
    decision: `${used}${heading === null ? '' : `; the first line, ${heading}, is a heading`}`,
    evidence: isEachOwn
      ? `${evidence}; each has a group of its own, as numbers of examples would give`
      : evidence,
    ...(isEachOwn ? { warning: true } : {}),
  };
}

/** Numbers by size, before text by code points. */
function byNumberOrText(a: string, b: string): number {
  const [x, y] = [Number(a), Number(b)];
  if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
  return x - y || (a < b ? -1 : a > b ? 1 : 0);
}

function nothingToTell(given: string, expected: string): UsageError {
  return new UsageError({ given, expected, remedy: 'name groups of the examples: --parts groups.csv' });
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
    remedy: `give the groups of another objective as NAME:${path}, those of vocabulary entries as tokens:${path}`,
  });
}
