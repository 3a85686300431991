import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { StoreError, UsageError } from '../../errors.js';
import type { Manifest } from '../../format/manifest.js';
import { csvLines, jsonText, npyBytes } from '../../format/export.js';
import type { ArrayReading } from '../../format/read-array.js';
import type { RunFolder } from '../../store/folder.js';
import { storeFailure } from '../../store/files.js';
import { openRun } from '../../store/open.js';
import { refuseRunFile } from '../../store/place.js';
import { draftOf, removeDeadDrafts } from '../../store/temporary.js';
import { parquetBytes } from './parquet.js';
import { quantityOf } from './quantity.js';
import type { Quantity } from './selection.js';

export { exportable } from './quantity.js';

const writers = { npy: npyBytes, csv: csvLines, json: jsonText, parquet: parquetBytes } as const;

export type ExportFormat = keyof typeof writers;
export const exportFormats = Object.keys(writers) as ExportFormat[];

export interface ExportOptions extends Quantity {
  readonly format: ExportFormat;
  /** File to write; default standard output. An existing file is replaced as a whole. */
  readonly out?: string;
}

/** Writes one quantity of a run, row by row, and returns what was written. Throws UsageError, StoreError. */
export async function exportRun(
  folder: string,
  options: ExportOptions,
): Promise<ArrayReading & { readonly sampled: string | null; readonly missing: string | null }> {
  if (options.out !== undefined) refuseRunFile(options.out);
  const run = await openRun(folder);
  const isBinary = options.format === 'npy' || options.format === 'parquet';
  if (isBinary && options.out === undefined && process.stdout.isTTY) throw binaryToTerminal(options.format);
  const array = quantityOf(run, options);
  const content = Readable.from(writers[options.format](array));
  if (options.out === undefined) await pipeline(content, process.stdout, { end: false });
  else await writeFile(options.out, content);
  const missing = options.segments === undefined ? missingNote(run, array) : null;
  return { ...array, sampled: sampleNote(run.manifest, array), missing };
}

/** What there is of an array of all segments while the run is unfinished; null where it is all there. */
function missingNote(run: RunFolder, array: ArrayReading): string | null {
  const { segments, iterations } = run.status;
  const [rows, { finishedRows }] = [array.shape[0]!, array];
  const apart = segments - (run.unmeasured()[0]?.from ?? iterations);
  const isOfLedger = !['theta', 'order', 'batches'].includes(array.name);
  if (rows < finishedRows) return `${rows} of ${finishedRows} rows are there${isOfLedger && apart > 0 ? ` without a gap; --segments has those of ${apart} segments behind it` : ''}`; // prettier-ignore
  // A count over the run has its one row from the first segment on.
  if (array.dimensions[0] !== 'run' || segments === iterations) return null;
  return `the count is of the segments before the first that is missing, at most ${segments} of ${iterations}`;
}

/** What to know of numbers that were measured on a sample; null of all others. */
function sampleNote({ objectives }: Manifest, { name, dimensions }: ArrayReading): string | null {
  const own = objectives.find((objective) => name.split('/')[1] === objective.name);
  if (!own?.sample) return null;
  const sizes = own.parts
    .filter(({ by }) => by === 'block')
    .reduce((total, { examples }) => total + examples, 0);
  const drawn = `Measured on a sample of ${sizes} of ${own.sample.from} examples; --what standard_error has how far sums may be off.`;
  if (!dimensions.includes('parameter')) return drawn;
  return `Warning: ${drawn} Single parameters are the sample's own: over all examples many of their signs are others.`;
}

/**
 * Writes beside the target and renames, so that a failed export leaves no half file, and two at once do not mix. What is there and no
 * plain file, such as a pipe or `/dev/stdout`, is written to as it is.
 */
async function writeFile(path: string, content: Readable): Promise<void> {
  const there = await stat(path).catch(() => null);
  const isPlain = there === null || there.isFile() || there.isDirectory();
  if (isPlain) await removeDeadDrafts(path, 'partial');
  const target = isPlain ? draftOf(path, 'partial') : path;
  try {
    await pipeline(content, createWriteStream(target, { flags: isPlain ? 'wx' : 'w' }));
    if (isPlain) await rename(target, path);
  } catch (error) {
    if (isPlain) await rm(target, { force: true });
    throw error instanceof StoreError ? error : storeFailure(`write ${path}`, error);
  }
}

function binaryToTerminal(format: ExportFormat): UsageError {
  return new UsageError({
    given: `--format ${format} on a terminal`,
    expected: 'a file for binary data',
    remedy: 'add --out FILE, or choose --format csv or json',
  });
}
