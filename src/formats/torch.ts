import { strFromU8 } from 'fflate';
import {
  arrayFromBytes,
  checkedBytes,
  elementBytes,
  gatherStrided,
  requireCredible,
  sizeOf,
  type ElementType,
  type NdArray,
} from './array.js';
import {
  PickleGlobal,
  PickleObject,
  PickleReference,
  readPickle,
  type PickleValue,
} from './pickle/pickle.js';
import { damaged, misfit, type ByteSource } from './source.js';
import { otherArray, otherArrayCall } from './pickle/numpy.js';
import { nameOfGlobal, plainNumbers, referencesOf, tensorCall, visitTensors } from './pickle/tree.js';
import { readZipDirectory, zipEntryPieces, type ZipEntry } from './zip.js';

/** A tensor of a PyTorch file. */
export interface TorchTensor {
  /** Null: a type without a counterpart here. */
  readonly dtype: ElementType | null;
  /** As PyTorch calls it. */
  readonly storedType: string;
  readonly shape: readonly number[];
  /** The numbers, row-major. Throws DataError where they are damaged. */
  read(): Promise<NdArray>;
}

/** What `torch.save` wrote, as data: nothing in the file is ever run. */
export interface TorchFile {
  /** Tensors by the keys that lead to them, joined by dots: `state_dict.fc.weight`. */
  readonly tensors: ReadonlyMap<string, TorchTensor>;
  /** Plain numbers that stand beside them in the outermost dictionary, or in one called `meta`: `epoch`, `global_step`. */
  readonly numbers: ReadonlyMap<string, number>;
}

/** Where the numbers of tensors are. */
interface Storage {
  readonly dtype: ElementType | null;
  readonly storedType: string;
  bytes(from: number, to: number): Promise<Uint8Array>;
}

const storageTypes: Readonly<Record<string, ElementType>> = {
  FloatStorage: 'float32', DoubleStorage: 'float64', HalfStorage: 'float16', BFloat16Storage: 'bfloat16',
  LongStorage: 'int64', IntStorage: 'int32', ShortStorage: 'int16', CharStorage: 'int8', ByteStorage: 'uint8', BoolStorage: 'bool',
}; // prettier-ignore

/** Bytes of numbers that are not read: where they lie between others, their size is needed. */
const otherWidths: Readonly<Record<string, number>> = {
  ComplexFloatStorage: 8, ComplexDoubleStorage: 16, QInt8Storage: 1, QUInt8Storage: 1, QInt32Storage: 4, UntypedStorage: 1,
}; // prettier-ignore

const dtypes: Readonly<Record<string, ElementType>> = {
  'torch.float32': 'float32', 'torch.float64': 'float64', 'torch.float16': 'float16', 'torch.bfloat16': 'bfloat16',
  'torch.int64': 'int64', 'torch.int32': 'int32', 'torch.int16': 'int16', 'torch.int8': 'int8', 'torch.uint8': 'uint8',
  'torch.bool': 'bool',
}; // prettier-ignore

/** First bytes of files that `torch.save` wrote before PyTorch 1.6, or with `_use_new_zipfile_serialization=False`. */
export const legacyTorchStart = [
  0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19,
] as const;

/** Largest table of tensors that is read. */
const maxTableBytes = 2 ** 26;

/**
 * Reads the table of a file that `torch.save` wrote. Throws DataError where it is damaged, or holds a whole module (whose class would
 * have to be imported) in place of tensors by name.
 */
export async function readTorch(source: ByteSource): Promise<TorchFile> {
  const start = await source.read(0, Math.min(legacyTorchStart.length, source.size));
  const isLegacy = legacyTorchStart.every((byte, k) => start[k] === byte);
  return isLegacy ? readLegacy(source) : readArchive(source);
}

/** Whether a zip archive is one of `torch.save`. */
export const isTorchArchive = (entries: ReadonlyMap<string, ZipEntry>): boolean =>
  [...entries.keys()].some((name) => /(^|\/)data\.pkl$/.test(name));

async function readArchive(source: ByteSource): Promise<TorchFile> {
  const entries = await readZipDirectory(source);
  const table = [...entries.values()].find(({ name }) => /(^|\/)data\.pkl$/.test(name));
  if (table === undefined) throw damaged(source.name, 'no data.pkl', 'what torch.save writes');
  if (table.size > maxTableBytes)
    throw damaged(source.name, `a table of ${table.size} bytes`, `at most ${maxTableBytes}`);
  const prefix = table.name.slice(0, -'data.pkl'.length);
  const order = entries.get(`${prefix}byteorder`);
  if (order !== undefined && strFromU8(await entryBytes(source, order)).trim() !== 'little') {
    throw misfit(source.name, 'big-endian numbers', 'little-endian ones', 'save it on another machine');
  }
  const { value } = readPickle(await entryBytes(source, table), source.name);
  return collect(value, source.name, (key) => {
    const entry = entries.get(`${prefix}data/${key}`);
    if (entry === undefined) throw damaged(source.name, `no storage ${key}`, 'a whole file');
    return async (from, to) => {
      const bytes = await entryBytes(source, entry);
      if (to > bytes.length)
        throw damaged(source.name, `storage ${key} of ${bytes.length} bytes`, `${to} bytes`);
      return bytes.subarray(from, to);
    };
  });
}

async function entryBytes(source: ByteSource, entry: ZipEntry): Promise<Uint8Array> {
  const bytes = new Uint8Array(entry.size);
  let at = 0;
  for await (const piece of zipEntryPieces(source, entry)) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** Four pickles (magic number, protocol, machine, table), a list of storages, and then each storage: its length and its numbers. */
async function readLegacy(source: ByteSource): Promise<TorchFile> {
  const bytes = await source.read(0, Math.min(source.size, maxTableBytes));
  let at = 0;
  const next = (): PickleValue => {
    const { value, end } = readPickle(bytes, source.name, at);
    at = end;
    return value;
  };
  const [, , , table, keys] = [next(), next(), next(), next(), next()];
  if (!Array.isArray(keys)) throw damaged(source.name, 'no list of storages', 'a whole file');
  const widths = storageWidths(table ?? null, source.name);
  const places = new Map<string, { from: number; size: number }>();
  for (const key of keys.map(String)) {
    const head = await source.read(at, 8);
    const count = Number(new DataView(head.buffer, head.byteOffset).getBigUint64(0, true));
    places.set(key, { from: at + 8, size: count * (widths.get(key) ?? 1) });
    at += 8 + count * (widths.get(key) ?? 1);
  }
  return collect(table ?? null, source.name, (key) => (from, to) => {
    const place = places.get(key);
    if (place === undefined || to > place.size)
      throw damaged(source.name, `no storage ${key} of ${to} bytes`, 'a whole file');
    return source.read(place.from + from, to - from);
  });
}

/** Bytes of an element of each storage that a table refers to. Throws DataError where it has a type that is not known. */
function storageWidths(table: PickleValue, file: string): Map<string, number> {
  const widths = new Map<string, number>();
  for (const { id } of referencesOf(table)) {
    const [kind, type, key] = Array.isArray(id) ? id : [];
    if (kind !== 'storage') continue;
    const name = lastName(type ?? null);
    const dtype = storageTypes[name];
    const width = dtype === undefined ? otherWidths[name] : elementBytes[dtype];
    // Where one storage ends the next begins: without its width, the others would be read elsewhere.
    if (width === undefined) throw unknownType(file, name === '' ? 'without a name' : name);
    widths.set(keyOf(key ?? null), width);
  }
  return widths;
}

/** Name of a storage, a small number. */
const keyOf = (value: PickleValue): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : 'without a name';

const lastName = (value: PickleValue): string =>
  value instanceof PickleGlobal ? value.name.slice(value.name.lastIndexOf('.') + 1) : '';

type StorageBytes = (key: string) => (from: number, to: number) => Promise<Uint8Array>;

/**
 * The tensors below a table, by path, with arrays of numpy and tensors of rare kinds that stand beside one; without any, arrays of numpy
 * alone. Throws DataError where there are none, or two of one path.
 */
function collect(table: PickleValue, file: string, bytesOf: StorageBytes): TorchFile {
  const tensors = new Map<string, TorchTensor>();
  const calls = new Map<string, PickleObject>();
  const visit = (path: string, call: PickleObject): void => {
    if ((calls.get(path) ?? call) !== call) {
      throw misfit(file, `two tensors called ${path}`, 'a name for each', 'save one under another key');
    }
    calls.set(path, call);
    const place = `${file}(${path})`;
    tensors.set(path, otherArrayCall(call) === null ? tensorOf(call, place, bytesOf) : otherArray(call, place)); // prettier-ignore
  };
  visitTensors(table, file, { sought: tensorCall, beside: otherArrayCall }, visit);
  if (tensors.size === 0) visitTensors(table, file, { sought: otherArrayCall }, visit);
  if (tensors.size > 0) return { tensors, numbers: plainNumbers(table) };
  throw misfit(
    file,
    table instanceof PickleObject ? `an object of class ${nameOfGlobal(table.made)}` : 'no tensors',
    'tensors by name, as in a state_dict',
    'save torch.save(model.state_dict(), path); a whole module would need its class, and nothing in the file is run',
  );
}

/** The tensor that a call of PyTorch's rebuilding functions describes. Throws DataError where it is none of the known ones. */
function tensorOf({ made, args }: PickleObject, file: string, bytesOf: StorageBytes): TorchTensor {
  if (!Array.isArray(args) || !/^torch\._utils\._rebuild_tensor(_v[23])?$/.test(nameOfGlobal(made))) {
    throw misfit(file, `a tensor made by ${nameOfGlobal(made)}`, 'a plain one', 'save it as tensor.clone()');
  }
  const [reference, offset, shape, stride] = args;
  const metadata = args[6] ?? null;
  if (metadata instanceof Map && [...metadata.values()].some((isSet) => isSet === true)) {
    const marks = [...metadata.keys()].map(String).join(', ');
    throw misfit(
      file,
      `a view whose numbers are to be changed (${marks})`,
      'a plain tensor',
      'save it as tensor.resolve_neg().clone()',
    );
  }
  const storage = storageOf(reference ?? null, metadata, bytesOf);
  if (
    storage === null ||
    typeof offset !== 'number' ||
    !isExtents(shape) ||
    !isExtents(stride) ||
    shape.length !== stride.length
  ) {
    throw damaged(file, 'a malformed tensor', 'storage, offset, shape and strides');
  }
  return {
    dtype: storage.dtype,
    storedType: storage.storedType,
    shape,
    read: () => readStrided(storage, { offset, shape, stride }, file),
  };
}

function isExtents(value: PickleValue | undefined): value is number[] {
  return Array.isArray(value) && value.every((each) => Number.isSafeInteger(each) && (each as number) >= 0);
}

/** `('storage', type, key, device, count)`; the type of untyped storages stands with the tensor. */
function storageOf(reference: PickleValue, dtype: PickleValue, bytesOf: StorageBytes): Storage | null {
  const parts = reference instanceof PickleReference && Array.isArray(reference.id) ? reference.id : [];
  const [kind, type, key] = parts;
  if (kind !== 'storage') return null;
  const storedType = dtype instanceof PickleGlobal ? dtype.name : lastName(type ?? null);
  const known = dtypes[storedType] ?? storageTypes[storedType] ?? null;
  return { dtype: known, storedType, bytes: bytesOf(keyOf(key ?? null)) };
}

const unknownType = (file: string, type: string): Error =>
  misfit(file, `numbers of type ${type}`, Object.keys(elementBytes).join(', '), 'convert it before saving');

interface View {
  /** In elements, as the strides. */
  readonly offset: number;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
}

async function readStrided(storage: Storage, view: View, file: string): Promise<NdArray> {
  const { dtype, storedType } = storage;
  if (dtype === null) throw unknownType(file, storedType);
  const { offset, shape, stride } = view;
  const claimed = checkedBytes(dtype, shape, file);
  const width = elementBytes[dtype];
  const last =
    sizeOf(shape) === 0 ? -1 : shape.reduce((place, extent, axis) => place + (extent - 1) * stride[axis]!, 0);
  requireCredible(claimed, (last + 1) * width, file);
  const span = await storage.bytes(offset * width, (offset + last + 1) * width);
  return arrayFromBytes(dtype, shape, gatherStrided(span, shape, stride, width));
}
