import { arrayFromBytes, elementBytes, sizeOf, type ElementType, type NdArray } from '../formats/array.js';
import { openHdf5 } from '../formats/hdf5.js';
import { readNpy, readNpyHeader } from '../formats/npy.js';
import { readSafetensors } from '../formats/safetensors.js';
import { damaged, misfit, readOrRefuse, type ByteSource } from '../formats/source.js';
import { isTorchArchive, legacyTorchStart, readTorch } from '../formats/torch.js';
import { readZipDirectory, zipEntrySource, type ZipEntry } from '../formats/zip.js';
import { fileSource } from '../data/files.js';
import { openNpz } from './npz-file.js';
import type { TensorEntry, TensorFile } from './types.js';

/** Readers by the bytes that a file starts with; safetensors has no such bytes and is told by its name. */
const readers: readonly {
  readonly start: readonly number[];
  readonly open: (source: ByteSource) => Promise<TensorFile>;
}[] = [
  { start: [0x50, 0x4b, 0x03, 0x04], open: openZip },
  { start: [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59], open: openNpy },
  { start: [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a], open: openHdf5Tensors },
  { start: legacyTorchStart, open: openTorch },
];

/**
 * Opens a file of tensors: safetensors (by its name), `.npz`, `.npy` (whose array is called `theta`), HDF5, what `torch.save`
 * wrote or Keras (`.keras`), told apart by content. Throws DataError where it is missing, damaged or of another format.
 */
export async function openTensorFile(path: string): Promise<TensorFile> {
  const source = await fileSource(path);
  try {
    const bytes = await source.read(0, Math.min(16, source.size));
    const reader = readers.find(({ start }) => start.every((byte, k) => bytes[k] === byte));
    const open = reader?.open ?? (path.endsWith('.safetensors') ? openSafetensors : undefined);
    if (open !== undefined) return guarded(await readOrRefuse(path, () => open(source)));
    throw misfit(
      path,
      'neither safetensors, npz, npy, HDF5 nor a PyTorch file',
      'a trajectory in one of these formats',
      'name safetensors files *.safetensors; convert others (docs/TRAJECTORIES.md)',
    );
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** The same file, whose tensors are read under the net of all readers. */
function guarded(file: TensorFile): TensorFile {
  return {
    name: file.name,
    entries: file.entries,
    text: (name) => file.text(name),
    ...(file.numbers === undefined ? {} : { numbers: file.numbers }),
    close: () => file.close(),
    read: (tensor, from, to) => readOrRefuse(`${file.name}(${tensor})`, () => file.read(tensor, from, to)),
  };
}

async function openZip(source: ByteSource): Promise<TensorFile> {
  const entries = await readZipDirectory(source);
  if (isTorchArchive(entries)) return openTorch(source);
  const weights = entries.get(kerasWeights);
  return weights === undefined ? openNpz(source, entries) : openKeras(source, weights);
}

/** What Keras's archives (`.keras`) hold the weights in, beside the architecture. */
const kerasWeights = 'model.weights.h5';

async function openKeras(source: ByteSource, weights: ZipEntry): Promise<TensorFile> {
  const inside = await zipEntrySource(source, weights);
  await source.close();
  return openHdf5Tensors(inside);
}

const noText = { text: () => null } as const;

async function openNpy(source: ByteSource): Promise<TensorFile> {
  const header = await readNpyHeader(source);
  const { dtype, shape } = header;
  const width = sizeOf(shape.slice(1)) * elementBytes[dtype];
  const isTurned = header.columnMajor && shape.length > 1;
  const whole = isTurned ? await readNpy(source) : null;
  return {
    ...noText,
    name: source.name,
    entries: new Map([['theta', { shape, dtype, storedType: dtype }]]),
    read: async (_, from = 0, to = shape[0] ?? 0) => {
      if (whole !== null) return rowsOf(whole, from, to);
      const bytes = await source.read(header.offset + from * width, (to - from) * width);
      return arrayFromBytes(dtype, [to - from, ...shape.slice(1)], bytes, header);
    },
    close: () => source.close(),
  };
}

async function openSafetensors(source: ByteSource): Promise<TensorFile> {
  const entries = await readSafetensors(source);
  return {
    ...noText,
    name: source.name,
    entries,
    read: async (name, from, to) => {
      const { offset, shape, ...entry } = entries.get(name)!;
      const dtype = knownType(entry, `${source.name}(${name})`);
      const whole = from === undefined || to === undefined;
      const width = elementBytes[dtype] * (whole ? 1 : sizeOf(shape.slice(1)));
      const [first, count] = whole ? [0, sizeOf(shape)] : [from, to - from];
      const bytes = await source.read(offset + first * width, count * width);
      return arrayFromBytes(dtype, whole ? shape : [count, ...shape.slice(1)], bytes);
    },
    close: () => source.close(),
  };
}

async function openHdf5Tensors(source: ByteSource): Promise<TensorFile> {
  const file = await openHdf5(source);
  return {
    ...noText,
    name: source.name,
    entries: file.arrays,
    text: (name) => file.text(name),
    read: (name, from, to) =>
      new Promise((resolve) => {
        resolve(file.arrays.get(name)!.read(from, to));
      }),
    close: async () => {
      file.close();
      await source.close();
    },
  };
}

async function openTorch(source: ByteSource): Promise<TensorFile> {
  const { tensors, numbers } = await readTorch(source);
  let last: { readonly name: string; readonly array: NdArray } | undefined;
  return {
    ...noText,
    name: source.name,
    entries: tensors,
    numbers,
    read: async (name, from, to) => {
      if (last?.name !== name) last = { name, array: await tensors.get(name)!.read() };
      return from === undefined || to === undefined ? last.array : rowsOf(last.array, from, to);
    },
    close: () => source.close(),
  };
}

function rowsOf({ dtype, shape, data }: NdArray, from: number, to: number): NdArray {
  const width = sizeOf(shape.slice(1));
  return { dtype, shape: [to - from, ...shape.slice(1)], data: data.slice(from * width, to * width) };
}

/** Throws DataError where a tensor's numbers are of no type that is known here. */
function knownType(
  { dtype, storedType }: Pick<TensorEntry, 'dtype' | 'storedType'>,
  file: string,
): ElementType {
  if (dtype !== null) return dtype;
  throw damaged(file, `numbers of type ${storedType}`, Object.keys(elementBytes).join(', '));
}
