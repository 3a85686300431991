import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { overfitting } from '../analysis/overfitting.js';
import { StoreError, UsageError } from '../errors.js';
import { columnEntries } from '../ledger/columns.js';
import { csvLines, jsonText, npyBytes } from '../format/export.js';
import type { ArrayReading } from '../format/read-array.js';
import type { RunReader } from '../format/reader.js';
import { storeFailure } from '../store/files.js';
import { openRun } from '../store/open.js';

/** What can be exported: θ, the order of the examples, every column of the ledger, and what is derived from columns. */
export const exportable: readonly string[] = [
  'theta',
  'order',
  ...columnEntries().map(([name]) => name),
  'overfitting',
];

/** The column of allocations by each entity. */
const entityColumns: Readonly<Record<string, string>> = {
  layer: 'layer_sums',
  neuron: 'neuron_sums',
  parameter: 'allocation',
};

const writers = { npy: npyBytes, csv: csvLines, json: jsonText } as const;

export type ExportFormat = keyof typeof writers;
export const exportFormats = Object.keys(writers) as ExportFormat[];

export interface ExportOptions {
  /** One of `exportable`. */
  readonly what: string;
  /** Objective whose column it is; default the run's first. Of the overfitting the held-out one; default the first but `train`. */
  readonly objective?: string;
  /** What the overfitting is summed over; default layers. */
  readonly entity?: string;
  readonly format: ExportFormat;
  /** File to write; default standard output. An existing file is replaced as a whole. */
  readonly out?: string;
}

/** Writes one quantity of a run, row by row, and returns what was written. Throws UsageError, StoreError. */
export async function exportRun(folder: string, options: ExportOptions): Promise<ArrayReading> {
  const run = await openRun(folder);
  if (options.format === 'npy' && options.out === undefined && process.stdout.isTTY) throw binaryToTerminal();
  const array =
    options.what === 'overfitting' ? overfittingOf(run, options) : run.array(arrayNameOf(run, options));
  const content = Readable.from(writers[options.format](array));
  if (options.out === undefined) await pipeline(content, process.stdout, { end: false });
  else await writeFile(options.out, content);
  return array;
}

/** The array that holds a quantity. Throws UsageError where the objective is none of the run's. */
function arrayNameOf({ manifest }: RunReader, { what, objective }: ExportOptions): string {
  const column = columnEntries().find(([name]) => name === what)?.[1];
  if (column?.of !== 'objective') return what;
  const names = manifest.objectives.map(({ name }) => name);
  if (objective === undefined || names.includes(objective)) return `${what}/${objective ?? names[0]!}`;
  throw new UsageError({
    given: `--objective ${objective}`,
    expected: `an objective of the run: ${names.join(', ')}`,
    remedy: 'name one of these with --objective',
  });
}

/** The training objective's allocations less the held-out one's. Throws UsageError where the run does not have both. */
function overfittingOf(run: RunReader, { objective, entity = 'layer' }: ExportOptions): ArrayReading {
  const names = run.manifest.objectives.map(({ name }) => name);
  const heldOut = objective ?? names.find((name) => name !== 'train');
  if (!names.includes('train') || heldOut === undefined || heldOut === 'train') {
    throw new UsageError({
      given: `overfitting of a run that measured ${names.join(', ')}`,
      expected: 'train, and an objective that is held out',
      remedy: 'measure both, such as --measure train,test; name the second with --objective',
    });
  }
  const column = entityColumns[entity];
  if (column === undefined) {
    throw new UsageError({
      given: `--entity ${entity}`,
      expected: `one of ${Object.keys(entityColumns).join(', ')}`,
      remedy: 'choose one of these',
    });
  }
  const of = (name: string) => run.array(arrayNameOf(run, { what: column, objective: name, format: 'csv' }));
  return overfitting(of('train'), of(heldOut));
}

/** Writes beside the target and renames, so that a failed export leaves no half file. */
async function writeFile(path: string, content: Readable): Promise<void> {
  const partial = `${path}.partial`;
  try {
    await pipeline(content, createWriteStream(partial));
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error instanceof StoreError ? error : storeFailure(`write ${path}`, error);
  }
}

function binaryToTerminal(): UsageError {
  return new UsageError({
    given: '--format npy on a terminal',
    expected: 'a file for binary data',
    remedy: 'add --out FILE, or choose --format csv or json',
  });
}
