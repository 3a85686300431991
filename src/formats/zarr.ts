import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { get, open, root } from 'zarrita';
import type { Array as ZarrArray, AsyncReadable, Chunk, DataType } from 'zarrita';
import { isLossledgerError } from '../errors.js';
import { checkedBytes, elementTypes, maxArrayBytes } from './array.js';
import type { ElementType, NdArray } from './array.js';
import { damaged, misfit } from './damaged.js';
import type { ArraySet } from '../data/user/types.js';
import { requireKnownCodecs } from './zarr-codecs.js';

/** An array above this size may be at most `maxRatio` times what its chunks take on disk: absent chunks cost nothing to claim. */
const freeSize = 2 ** 26;
const maxRatio = 100;

/** The arrays at the top level of a Zarr group (v2 or v3) in a folder. Throws DataError where one is damaged. */
export async function openZarrArrays(folder: string): Promise<ArraySet> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return {
    names,
    files: [{ name: basename(folder), sha256: await folderHash(folder) }],
    read: (name) => readArray(folder, name),
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

/** A folder as zarrita reads it: a missing key is undefined. */
function folderStore(folder: string): AsyncReadable {
  return {
    get: async (key) => {
      try {
        return await readFile(join(folder, key));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
  };
}

async function readArray(folder: string, name: string): Promise<NdArray> {
  const file = `${folder}(${name})`;
  try {
    await requireKnownCodecs(join(folder, name), file);
    const array = await open(root(folderStore(folder)).resolve(name), { kind: 'array' });
    const dtype = await checkClaims(array, join(folder, name), file);
    const { data, shape } = await get(array);
    return { dtype, shape, data: numbersOf(data, dtype, file) };
  } catch (cause) {
    if (isLossledgerError(cause)) throw cause;
    throw damaged(file, 'not readable as a Zarr array', 'a Zarr v2 or v3 array of numbers', cause);
  }
}

/** The chunks' numbers, row-major; booleans as 0 and 1. */
function numbersOf(data: Chunk<DataType>['data'], dtype: ElementType, file: string): NdArray['data'] {
  if (data instanceof elementTypes[dtype]) return data;
  if (dtype === 'uint8') return Uint8Array.from(data as Iterable<boolean>, Number);
  throw damaged(file, `contents that are no ${dtype}`, 'what its metadata says');
}

async function checkClaims(
  { shape, chunks, dtype }: ZarrArray<DataType, AsyncReadable>,
  folder: string,
  file: string,
): Promise<ElementType> {
  const name = dtype === 'bool' ? 'uint8' : dtype;
  if (!Object.hasOwn(elementTypes, name)) {
    throw misfit(
      file,
      `elements of type ${dtype}`,
      Object.keys(elementTypes).join(', '),
      'convert the array',
    );
  }
  const type = name as ElementType;
  const bytes = Math.max(checkedBytes(type, shape, file), checkedBytes(type, chunks, file));
  const stored = await bytesBelow(folder);
  if (bytes > Math.max(freeSize, maxRatio * stored)) {
    throw damaged(
      file,
      `${bytes} bytes claimed where ${stored} are stored`,
      `at most ${maxRatio} times what is stored, and ${maxArrayBytes} bytes`,
    );
  }
  return type;
}
