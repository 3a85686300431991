import type * as H5wasm from 'h5wasm';
import type { Dataset, Group } from 'h5wasm';
import {
  arrayFromBytes,
  checkedBytes,
  elementBytes,
  maxArrayBytes,
  requireCredible,
  sizeOf,
  type ElementType,
  type NdArray,
} from './array.js';
import { elementTypeOf, floatTypes, storedTypeOf, type FloatTypes, type Span } from './hdf5-types.js';
import { damaged, misfit, type ByteSource } from './source.js';

/** An array of an HDF5 file; its numbers are read on demand. */
export interface Hdf5Array {
  readonly shape: readonly number[];
  /** Null: no plain numbers. */
  readonly dtype: ElementType | null;
  /** The element type, or where it is none of these, what HDF5 says. */
  readonly storedType: string;
  /** Rows `from` to `to` (exclusive) of axis 0, or all. Throws DataError where the numbers cannot be read. */
  read(from?: number, to?: number): NdArray;
}

/** An open HDF5 file. */
export interface Hdf5File {
  /** All arrays by their path below the root, such as `model_weights/dense/kernel:0`. */
  readonly arrays: ReadonlyMap<string, Hdf5Array>;
  /** An attribute of the root as text: one string, or several joined by semicolons; null where there is none. */
  text(attribute: string): string | null;
  close(): void;
}

/** What is used of the virtual file system in which the library looks for files. It holds only those that are put there. */
interface VirtualFiles {
  createFile(
    parent: string,
    name: string,
    properties: object,
    canRead: boolean,
    canWrite: boolean,
  ): VirtualFile;
  unlink(path: string): void;
}

interface VirtualFile {
  stream_ops: object;
}

/** An instance of the library with memory of its own. */
interface Instance {
  readonly library: Pick<typeof H5wasm, 'File' | 'Dataset' | 'Group'>;
  readonly module: Memory;
  readonly files: VirtualFiles;
  /** Name of the file that it broke off in: its memory is worth nothing since. */
  brokenBy: string | null;
}

/** What is used of the library's module beneath its classes: its memory, and reading into it. */
type Memory = Pick<Awaited<typeof H5wasm.ready>, 'HEAPU8' | 'get_dataset_data' | 'get_dataset_filters'> & {
  _malloc(bytes: number): number;
  _free(place: number): void;
};

/** Objects of a file at most, and groups within groups. */
const maxObjects = 65_536;
const maxDepth = 32;

let opened = 0;
let instances = 0;
let instance: Promise<Instance> | null = null;

/** The instance in use; a new one where that one broke off in a damaged file, after which it reads whole ones wrong, or for ever. */
async function workingInstance(): Promise<Instance> {
  const present = await instance;
  if (present !== null && present.brokenBy === null) return present;
  instance = newInstance(instances++);
  return instance;
}

async function newInstance(number: number): Promise<Instance> {
  // A module that is asked for by another address is loaded, and started, anew.
  const { resolve } = import.meta as unknown as { resolve: (name: string) => string };
  const again = () => import(`${resolve('h5wasm')}?${number}`) as Promise<typeof H5wasm>;
  const library = await (number === 0 ? import('h5wasm') : again());
  const module = await library.ready;
  // Otherwise the library prints its stack of errors and goes on.
  module.activate_throwing_error_handler();
  return { library, module, files: (module as unknown as { FS: VirtualFiles }).FS, brokenBy: null };
}

/**
 * Opens an HDF5 file for reading. The library sees this file alone, so nothing that it names can lead elsewhere; external links,
 * external storage and virtual data sets are refused by name. Throws DataError where the library cannot make sense of the file.
 */
export async function openHdf5(source: ByteSource): Promise<Hdf5File> {
  const own = await workingInstance();
  const path = `${opened++}.h5`;
  const readNow = source.readNow?.bind(source) ?? (await wholeReader(source));
  const spans: Span[] = [];
  let isOpening = true;
  mount(own.files, path, source, (offset, length) => {
    if (isOpening) spans.push([offset, offset + length]);
    return readNow(offset, length);
  });
  const guarded = guard(own, source.name);
  let file: H5wasm.File | null = null;
  const close = (): void => {
    if (own.brokenBy === null) file?.close();
    own.files.unlink(path);
  };
  try {
    const root = guarded(() => (file = new own.library.File(path, 'r')));
    const context = {
      module: own.module,
      source,
      guarded,
      floatTypes: floatTypes(source.size, readNow, spans),
    };
    const arrays = guarded(() => arraysOf(own.library, root, context));
    isOpening = false;
    return { arrays, close, text: (name) => guarded(() => attributeText(root, name)) };
  } catch (error) {
    close();
    throw error;
  }
}

type Guarded = <T>(read: () => T) => T;

/** Turns what the library throws into the error of a damaged file, and takes note where it broke off. */
function guard(own: Instance, name: string): Guarded {
  return (read) => {
    if (own.brokenBy !== null) throw misfit(name, `the HDF5 library broke off while it read ${own.brokenBy}`, 'a library that still works', 'open the file again'); // prettier-ignore
    try {
      return read();
    } catch (cause) {
      if (cause instanceof Error && ['RuntimeError', 'RangeError'].includes(cause.name)) own.brokenBy = name;
      if (cause instanceof Refusal) throw cause.error;
      throw damaged(name, 'not readable as HDF5', 'a whole HDF5 file', cause);
    }
  };
}

/** Carries an error of this project through `guard`. */
class Refusal extends Error {
  constructor(readonly error: Error) {
    super(error.message);
  }
}

type ReadNow = NonNullable<ByteSource['readNow']>;

/** What the arrays of a file share. */
interface Context {
  readonly module: Memory;
  readonly source: ByteSource;
  readonly guarded: Guarded;
  readonly floatTypes: FloatTypes;
}

/** Puts a source among the library's files: its bytes are read where they are asked for. */
function mount(files: VirtualFiles, path: string, source: ByteSource, readNow: ReadNow): void {
  const file = files.createFile('/', path, {}, true, false);
  Object.defineProperty(file, 'usedBytes', { get: () => source.size });
  file.stream_ops = {
    ...file.stream_ops,
    read: (_: unknown, buffer: Uint8Array, offset: number, length: number, position: number): number => {
      const count = Math.max(0, Math.min(length, source.size - position));
      if (count > 0) buffer.set(readNow(position, count), offset);
      return count;
    },
  };
}

async function wholeReader(source: ByteSource): Promise<ReadNow> {
  if (source.size > maxArrayBytes) {
    throw misfit(source.name, `${source.size} bytes`, `at most ${maxArrayBytes}`, 'read it from a disk');
  }
  const bytes = await source.read(0, source.size);
  return (offset, length) => bytes.subarray(offset, offset + length);
}

function arraysOf(library: Instance['library'], root: Group, context: Context): Map<string, Hdf5Array> {
  const { source } = context;
  const datasets = new Map<string, Dataset>();
  const seen = { objects: 0 };
  const visit = (group: Group, prefix: string, depth: number): void => {
    for (const name of group.keys()) {
      const path = prefix + name;
      if (++seen.objects > maxObjects || depth > maxDepth) throw tooMany(source.name);
      const entity = group.get(name);
      if (entity instanceof library.Dataset) datasets.set(path, entity);
      else if (entity instanceof library.Group) visit(entity, `${path}/`, depth + 1);
      else if (entity?.constructor.name === 'ExternalLink')
        throw external(source.name, path, 'an external link');
    }
  };
  visit(root, '', 0);
  // The forms of floats stand in what is read for this, so it is read of all arrays before one is described.
  for (const dataset of datasets.values()) void dataset.metadata;
  return new Map([...datasets].map(([path, dataset]) => [path, arrayOf(dataset, path, context)]));
}

function tooMany(file: string): Refusal {
  return new Refusal(
    misfit(file, `more than ${maxObjects} objects, or groups ${maxDepth} deep`, 'fewer', 'store arrays only'),
  );
}

function external(file: string, path: string, what: string): Refusal {
  return new Refusal(
    misfit(
      file,
      `${path} is ${what}: its numbers are in another file`,
      'arrays that are stored in this file',
      'copy the numbers into one file (h5repack, or read and write them)',
    ),
  );
}

function arrayOf(
  dataset: Dataset,
  path: string,
  { module, source, guarded, floatTypes }: Context,
): Hdf5Array {
  const { metadata } = dataset;
  if ((metadata.virtual_sources ?? []).length > 0) throw external(source.name, path, 'a virtual data set');
  // HDF5's null dataspace has no shape and no numbers.
  const shape = metadata.shape ?? [0];
  const dtype = elementTypeOf(metadata, floatTypes);
  const place = `${source.name}(${path})`;
  const storedType = storedTypeOf(dataset, dtype);
  return {
    shape,
    dtype,
    storedType,
    read: (from = 0, to = shape[0] ?? 0) => {
      if (dtype === null)
        throw misfit(place, `elements of type ${storedType}`, 'numbers', 'convert the array');
      requireCredible(checkedBytes(dtype, shape, place), source.size, place);
      guarded(() => requireKnownFilters(module, dataset, place));
      return guarded(() => rowsOf(module, dataset, dtype, shape, [from, to]));
    },
  };
}

/** HDF5's filters that the library has: gzip, shuffle, fletcher32, n-bit, scale-offset. */
const knownFilters = [1, 2, 3, 5, 6];

/** Throws where numbers are stored in a way that takes a plugin to undo. */
function requireKnownFilters(module: Memory, { file_id, path }: Dataset, place: string): void {
  const strange = module.get_dataset_filters(file_id, path).find(({ id }) => !knownFilters.includes(id));
  if (strange === undefined) return;
  throw new Refusal(
    misfit(
      place,
      `numbers compressed by ${strange.name || 'a plugin'} (HDF5 filter ${strange.id})`,
      'gzip, or no compression',
      'write the file again (h5repack -f GZIP=4 OLD NEW)',
    ),
  );
}

/** Rows from the bytes that the library gives, always in little-endian order; it itself knows no 16-bit floats. */
function rowsOf(
  module: Memory,
  dataset: Dataset,
  dtype: ElementType,
  shape: readonly number[],
  [from, to]: readonly [number, number],
): NdArray {
  const extents = shape.length === 0 ? [] : [to - from, ...shape.slice(1)];
  const length = sizeOf(extents) * elementBytes[dtype];
  if (length === 0) return arrayFromBytes(dtype, extents, new Uint8Array(0));
  const starts = extents.map((_, axis) => BigInt(axis === 0 ? from : 0));
  const place = module._malloc(length);
  if (place === 0) throw new Error(`no memory for ${length} bytes`);
  try {
    const count = shape.length === 0 ? null : extents.map(BigInt);
    const strides = count && count.map(() => 1n);
    module.get_dataset_data(dataset.file_id, dataset.path, count, count && starts, strides, BigInt(place));
    const bytes = module.HEAPU8.slice(place, place + length);
    return arrayFromBytes(dtype, extents, bytes);
  } finally {
    module._free(place);
  }
}

function attributeText(file: Group, name: string): string | null {
  const value: unknown = file.attrs[name]?.value ?? null;
  if (Array.isArray(value)) return value.map(String).join(';');
  return typeof value === 'string' ? value.replace(/\0+$/, '') : null;
}
