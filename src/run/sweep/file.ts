import { readdirSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { closest } from 'fastest-levenshtein';
import * as z from 'zod';
import { StoreError, UsageError } from '../../errors.js';
import { baseConfig, readKeys } from '../../experiment/config/file.js';
import { packageFolder } from '../../experiment/version.js';

/** Keys of a run file with their values; the configuration's schema checks them once they are brought together. */
export type Keys = Readonly<Record<string, unknown>>;

/** One axis of a grid: what each of its values is called, and the keys that it sets. */
export interface Axis {
  readonly name: string;
  readonly values: readonly { readonly label: string; readonly keys: Keys }[];
}

/** What a sweep file states. */
export interface SweepFile {
  /** The file's name without its ending. */
  readonly name: string;
  readonly path: string;
  readonly about: string | null;
  /** Label of the cell that the others are compared with; null: the first. */
  readonly baseline: string | null;
  /** What all cells begin with. */
  readonly base: Keys;
  readonly seeds: readonly number[];
  /** Axes that vary together, for each grid. */
  readonly grids: readonly (readonly Axis[])[];
}

const keysSchema = z.record(z.string(), z.json());
const valuesSchema = z.array(z.json()).min(1);
const namedSchema = z.record(z.string(), keysSchema.nullable()).refine((named) => Object.keys(named).length > 0, 'expected at least one value'); // prettier-ignore
const gridSchema = z.record(z.string(), z.union([valuesSchema, namedSchema])).refine((axes) => Object.keys(axes).length > 0, 'expected at least one axis'); // prettier-ignore
const seed = z.int().min(0);

const sweepSchema = z.strictObject({
  base: z.union([z.string(), keysSchema]),
  about: z.string().optional(),
  baseline: z.string().optional(),
  set: keysSchema.default({}),
  seeds: z.union([z.int().min(1).max(1000), z.array(seed).min(1).refine((seeds) => new Set(seeds).size === seeds.length, 'expected each seed once')]).default(3),
  grid: z.union([gridSchema, z.array(gridSchema).min(1)]),
}); // prettier-ignore

const sweepKeys = Object.keys(sweepSchema.shape);

/** Names of the sweeps that the package ships, for the paper's Section 4 and Figure S9. Throws StoreError where they are not there. */
export function shippedSweeps(folder = join(packageFolder, 'sweeps')): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => basename(name, '.yaml'))
      .sort();
  } catch (cause) {
    const remedy = 'install the package again, or give the path of a sweep file';
    throw new StoreError({ given: `no folder ${folder}`, expected: 'the sweeps that the package ships', remedy }, { cause });
  }
} // prettier-ignore

/** The path of a sweep file: as given, or of one that the package ships. Throws UsageError where there is none of that name. */
export function sweepPath(given: string): string {
  if (/[/\\]|\.(ya?ml|json)$/i.test(given)) return given;
  const names = shippedSweeps();
  if (names.includes(given)) return join(packageFolder, 'sweeps', `${given}.yaml`);
  throw new UsageError({
    given: `sweep ${JSON.stringify(given)}`,
    expected: `one of ${names.join(', ')}, or the path of a sweep file (.yaml, .yml, .json)`,
    remedy: `did you mean ${closest(given, names)}?`,
  });
}

/** What a command line changes in a sweep file. */
export interface SweepChanges {
  /** Another base: a preset, or the path of a run file. */
  readonly base?: string | undefined;
  readonly seeds?: readonly number[] | undefined;
  /** Keys of all cells. */
  readonly keys?: Keys;
}

/** Reads a sweep file, or one that the package ships, by its name. Throws UsageError where it is malformed, or a change is of what it varies. */
export async function readSweep(given: string, changes: SweepChanges = {}): Promise<SweepFile> {
  const path = sweepPath(given);
  const content = await readKeys(path, 'sweep file', sweepKeys);
  const result = sweepSchema.safeParse(content);
  if (!result.success) throw misfit(path, content, result.error.issues[0]!);
  const { about = null, baseline = null, base: own, set, seeds, grid } = result.data;
  const { base, keys = {}, seeds: others = seeds } = changes;
  const from = base ?? own;
  const grids = [grid].flat().map(axesOf);
  refuseVaried(path, keys, grids);
  return {
    name: basename(path).replace(/\.[^.]+$/, ''),
    path,
    about,
    baseline,
    base: { ...(typeof from === 'string' ? await keysOf(from, base === undefined ? path : null) : from), ...set, ...keys },
    seeds: typeof others === 'number' ? Array.from({ length: others }, (_, i) => i + 1) : others,
    grids,
  };
} // prettier-ignore

/** Throws UsageError where a key of the command line is one that a sweep varies. */
function refuseVaried(path: string, keys: Keys, grids: SweepFile['grids']): void {
  const varied = grids.flat().flatMap(({ values }) => values.flatMap((own) => Object.keys(own.keys)));
  const both = ['seed', ...varied].find((key) => key in keys);
  if (both === undefined) return;
  throw new UsageError({
    given: `${both} for all cells of sweep file ${path}, which varies it`,
    expected: 'settings that the sweep does not vary',
    remedy: both === 'seed' ? 'say --seeds 1,2,3' : `leave out ${both}, or change a copy of the file`,
  });
}

/** The keys of a preset or run file; the path of one that a sweep file names is relative to that file. */
function keysOf(from: string, sweep: string | null): Promise<Keys> {
  const isPath = /[/\\]|\.(ya?ml|json)$/i.test(from);
  return baseConfig(isPath && sweep !== null && !isAbsolute(from) ? resolve(dirname(sweep), from) : from);
}

function axesOf(grid: z.infer<typeof gridSchema>): Axis[] {
  return Object.entries(grid).map(([name, values]) => ({
    name,
    values: Array.isArray(values)
      ? values.map((value) => ({ label: labelOf(value), keys: { [name]: value } }))
      : Object.entries(values).map(([label, keys]) => ({ label, keys: keys ?? {} })),
  }));
}

const labelOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function misfit(path: string, content: Keys, issue: z.core.$ZodIssue): UsageError {
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const place = unknown ?? issue.path.join('.');
  const value = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], content); // prettier-ignore
  return new UsageError({
    given: `${unknown === undefined ? `${place}: ${JSON.stringify(value) ?? 'missing'}` : `unknown key ${unknown}`} in sweep file ${path}`,
    expected: expectations[String(unknown === undefined ? issue.path[0] : '')] ?? `keys among ${sweepKeys.join(', ')}`,
    remedy: 'correct it; sweeps of the package are examples, and docs/ANALYSES.md says what each key means',
  });
} // prettier-ignore

const expectations: Readonly<Record<string, string>> = {
  base: 'a preset, the path of a run file, or keys of one',
  about: 'text',
  baseline: 'a cell, such as `learningRate 0.05`',
  set: 'keys of a run file with their values',
  seeds: 'a number of seeds, or a list of different whole numbers',
  grid: 'axes, or a list of such: a key of run files with a list of values, or any name with values by name, each with the keys that it sets',
}; // prettier-ignore
