import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { StoreError, UsageError } from '../errors.js';
import { csvLines, jsonText, npyBytes } from '../format/export.js';
import type { ArrayReading } from '../format/read-array.js';
import { storeFailure } from '../store/files.js';
import { openRun } from '../store/open.js';
import { type Quantity, quantityOf } from './quantity.js';

export { exportable } from './quantity.js';

const writers = { npy: npyBytes, csv: csvLines, json: jsonText } as const;

export type ExportFormat = keyof typeof writers;
export const exportFormats = Object.keys(writers) as ExportFormat[];

export interface ExportOptions extends Quantity {
  readonly format: ExportFormat;
  /** File to write; default standard output. An existing file is replaced as a whole. */
  readonly out?: string;
}

/** Writes one quantity of a run, row by row, and returns what was written. Throws UsageError, StoreError. */
export async function exportRun(folder: string, options: ExportOptions): Promise<ArrayReading> {
  const run = await openRun(folder);
  if (options.format === 'npy' && options.out === undefined && process.stdout.isTTY) throw binaryToTerminal();
  const array = quantityOf(run, options);
  const content = Readable.from(writers[options.format](array));
  if (options.out === undefined) await pipeline(content, process.stdout, { end: false });
  else await writeFile(options.out, content);
  return array;
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
