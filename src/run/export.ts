import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { StoreError, UsageError } from '../errors.js';
import type { MeasuredSplit } from '../ledger/types.js';
import { csvLines, jsonText, npyBytes } from '../store/export.js';
import { storeFailure } from '../store/files.js';
import { openRun } from '../store/open.js';
import type { ArrayReading } from '../store/read-array.js';

/** Quantities by the names that users know, and the arrays that hold them. */
const arrays = {
  theta: 'theta',
  order: 'order',
  subintervals: 'subintervals',
  evaluations: 'evaluations',
  loss: 'loss/SPLIT',
  allocation: 'allocation/SPLIT',
  neurons: 'sums/neuron/SPLIT',
  layers: 'sums/layer/SPLIT',
  total: 'sums/total/SPLIT',
  residual: 'residual/SPLIT',
  'left-residual': 'left_residual/SPLIT',
  helping: 'counts/helping/SPLIT',
  hurting: 'counts/hurting/SPLIT',
  zero: 'counts/zero/SPLIT',
} as const;

export type Exportable = keyof typeof arrays;
export const exportable = Object.keys(arrays) as Exportable[];

const writers = { npy: npyBytes, csv: csvLines, json: jsonText } as const;

export type ExportFormat = keyof typeof writers;
export const exportFormats = Object.keys(writers) as ExportFormat[];

export interface ExportOptions {
  readonly what: Exportable;
  readonly split: MeasuredSplit;
  readonly format: ExportFormat;
  /** File to write; default standard output. An existing file is replaced as a whole. */
  readonly out?: string;
}

/** Writes one quantity of a run, row by row, and returns what was written. */
export async function exportRun(folder: string, options: ExportOptions): Promise<ArrayReading> {
  const run = await openRun(folder);
  if (options.format === 'npy' && options.out === undefined && process.stdout.isTTY) throw binaryToTerminal();
  requireMeasured(options, run.manifest.splits);
  const array = await run.array(arrays[options.what].replace('SPLIT', options.split));
  const content = Readable.from(writers[options.format](array));
  if (options.out === undefined) await pipeline(content, process.stdout, { end: false });
  else await writeFile(options.out, content);
  return array;
}

function requireMeasured({ what, split }: ExportOptions, measured: readonly MeasuredSplit[]): void {
  if (!arrays[what].endsWith('SPLIT') || measured.includes(split)) return;
  throw new UsageError({
    given: `--split ${split}`,
    expected: `a measured split: ${measured.join(', ')}`,
    remedy: 'name one of these with --split',
  });
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
