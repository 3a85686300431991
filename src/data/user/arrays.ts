import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UsageError } from '../../errors.js';
import { readBytes, sha256 } from '../files.js';
import type { NdArray } from '../../formats/array.js';
import { fileSource, memorySource } from '../../formats/bytes.js';
import { readIdx } from '../../formats/idx.js';
import { readNpy } from '../../formats/npy.js';
import { readNpzArray, readNpzDirectory } from '../../formats/npz.js';
import type { SourceFile } from '../types.js';
import type { ArraySet } from './types.js';
import { openZarrArrays } from '../../formats/zarr.js';

/**
 * Opens a user's arrays: an `.npz` file; a folder with `x.npy` and `y.npy`; a Zarr group (v2 or v3) with arrays x and y; or two
 * files `X,Y`, each `.npy` or IDX. Throws UsageError where the path is none of these, DataError where a file is damaged.
 */
export async function openArrays(path: string): Promise<ArraySet> {
  const [x, y, ...more] = path.split(',');
  if (y !== undefined && more.length === 0 && !existsSync(path)) return pairArrays(x!, y);
  const status = await stat(path).catch(() => null);
  if (status?.isDirectory()) return folderArrays(path);
  if (status?.isFile() && path.endsWith('.npz')) return npzArrays(path);
  throw new UsageError({
    given: `data ${path}${status === null ? ', which does not exist' : ''}`,
    expected: 'an .npz file, a folder with x.npy and y.npy, a Zarr group, or two files X,Y (.npy or IDX)',
    remedy: 'check the path, or save the arrays with numpy.savez(path, x=…, y=…)',
  });
}

async function npzArrays(path: string): Promise<ArraySet> {
  const source = await fileSource(path);
  try {
    const entries = await readNpzDirectory(source);
    const digest = sha256(await readBytes(path, 'check the path'));
    return {
      names: [...entries.keys()],
      files: [{ name: basename(path), sha256: digest }],
      read: (name) => readNpzArray(source, entries.get(name)!),
      close: () => source.close(),
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function folderArrays(folder: string): Promise<ArraySet> {
  const entries = await readdir(folder);
  if (['zarr.json', '.zgroup', '.zmetadata'].some((name) => entries.includes(name)))
    return openZarrArrays(folder);
  const files = entries.filter((name) => name.endsWith('.npy'));
  return fileArrays(new Map(files.map((file) => [file.slice(0, -'.npy'.length), join(folder, file)])));
}

function pairArrays(x: string, y: string): Promise<ArraySet> {
  return fileArrays(new Map([['x', x], ['y', y]])); // prettier-ignore
}

/** One array a file, read at once. */
async function fileArrays(paths: ReadonlyMap<string, string>): Promise<ArraySet> {
  const contents = new Map<string, { array: NdArray; file: SourceFile }>();
  for (const [name, path] of paths) {
    const bytes = await readBytes(path, 'check the path');
    const array = path.endsWith('.npy') ? await readNpy(memorySource(bytes, path)) : readIdx(bytes, path);
    contents.set(name, { array, file: { name: basename(path), sha256: sha256(bytes) } });
  }
  return {
    names: [...contents.keys()],
    files: [...contents.values()].map(({ file }) => file),
    read: (name) => Promise.resolve(contents.get(name)!.array),
    close: () => Promise.resolve(),
  };
}
