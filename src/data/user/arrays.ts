import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UsageError } from '../../errors.js';
import type { NdArray } from '../../formats/array.js';
import { readIdx } from '../../formats/idx.js';
import { readNpy } from '../../formats/npy.js';
import { readNpzArray, readNpzDirectory } from '../../formats/npz.js';
import { memorySource, readOrRefuse } from '../../formats/source.js';
import { readZarrArray, type ZarrStore } from '../../formats/zarr.js';
import { fileSource, readBytes, sha256, sourceFile } from '../files.js';
import type { SourceFile } from '../types.js';
import { ContentDigest } from './content.js';

/** Named arrays of a user's own data, wherever they are kept. */
export interface ArraySet {
  readonly names: readonly string[];
  /** Of archives with a digest of the arrays that were read until now. */
  files(): readonly SourceFile[];
  read(name: string): Promise<NdArray>;
  close(): Promise<void>;
}

/**
 * Opens a user's arrays: an `.npz` file; a folder with `x.npy` and `y.npy`; a Zarr group (v2 or v3) with arrays x and y; or two
 * files `X,Y`, each `.npy` or IDX. Throws UsageError where the path is none of these, DataError where a file is damaged.
 */
export async function openArrays(path: string): Promise<ArraySet> {
  const arrays = await readOrRefuse(path, () => openAny(path));
  return { ...arrays, read: (name) => readOrRefuse(`${path}(${name})`, () => arrays.read(name)) };
}

async function openAny(path: string): Promise<ArraySet> {
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
    return {
      names: [...entries.keys()],
      ...archive(await sourceFile(path), (name) => readNpzArray(source, entries.get(name)!)),
      close: () => source.close(),
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** A file of several arrays, which may differ in its bytes and hold the same: by times, compression, chunks. */
function archive(
  file: SourceFile,
  read: (name: string) => Promise<NdArray>,
): Pick<ArraySet, 'files' | 'read'> {
  const content = new ContentDigest();
  return {
    files: () => {
      const digest = content.digest();
      return [digest === null ? file : { ...file, content: digest }];
    },
    read: async (name) => {
      const array = await read(name);
      content.add(name, array);
      return array;
    },
  };
}

async function folderArrays(folder: string): Promise<ArraySet> {
  const entries = await readdir(folder);
  if (['zarr.json', '.zgroup', '.zmetadata'].some((name) => entries.includes(name)))
    return zarrArrays(folder);
  // Hidden ones are of systems, such as the `._x.npy` that macOS keeps beside `x.npy`.
  const files = entries.filter((name) => name.endsWith('.npy') && !name.startsWith('.'));
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
    files: () => [...contents.values()].map(({ file }) => file),
    read: (name) => Promise.resolve(contents.get(name)!.array),
    close: () => Promise.resolve(),
  };
}

/** The arrays at the top level of a Zarr group (v2 or v3). */
async function zarrArrays(folder: string): Promise<ArraySet> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return {
    names,
    ...archive({ name: basename(folder), sha256: await folderHash(folder) }, async (name) =>
      readZarrArray(folderStore(folder), name, await bytesBelow(join(folder, name)), `${folder}(${name})`),
    ),
    close: () => Promise.resolve(),
  };
}

/** SHA-256 over the relative paths and contents of all files, in order of path. */
async function folderHash(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const path of await filesBelow(folder)) {
    hash.update(`${path}\n`);
    hash.update(await readFile(join(folder, path)));
  }
  return hash.digest('hex');
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

async function bytesBelow(folder: string): Promise<number> {
  const sizes = (await filesBelow(folder)).map(async (path) => (await stat(join(folder, path))).size);
  return (await Promise.all(sizes)).reduce((total, size) => total + size, 0);
}

function folderStore(folder: string): ZarrStore {
  return {
    get: async (path) => {
      try {
        return await readFile(join(folder, path));
      } catch (error) {
        if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
        throw error;
      }
    },
  };
}
