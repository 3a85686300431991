import { arrayFromBytes, elementBytes } from '../formats/array.js';
import type { NdArray } from '../formats/array.js';
import type { ByteSource } from '../formats/source.js';
import { readSafetensors, requireFloat32 } from '../formats/safetensors.js';
import type { SafetensorsEntry } from '../formats/safetensors.js';
import { integersOf } from './integers.js';
import { sizeOf } from './layout.js';
import type { RowFile } from './types.js';

/** A safetensors file as named arrays. Throws DataError where its table is damaged. */
export async function openSafetensors(source: ByteSource): Promise<RowFile> {
  const entries = await readSafetensors(source);
  return {
    name: source.name,
    names: [...entries.keys()],
    rows: (name) => {
      const entry = entries.get(name)!;
      return new Promise((resolve) => {
        requireFloat32(entry, `${source.name}(${name})`);
        const width = sizeOf(entry.shape.slice(1));
        resolve({ shape: entry.shape, row: (t) => readFloats(source, entry.offset + 4 * t * width, width) });
      });
    },
    integers: async (name) =>
      integersOf(await readTensor(source, entries.get(name)!, name), `${source.name}(${name})`),
    close: () => source.close(),
  };
}

/** Little-endian float32 numbers [count] from a place on. */
export async function readFloats(source: ByteSource, offset: number, count: number): Promise<Float32Array> {
  return arrayFromBytes('float32', [count], await source.read(offset, 4 * count)).data as Float32Array;
}

async function readTensor(source: ByteSource, entry: SafetensorsEntry, name: string): Promise<NdArray> {
  const { dtype, shape, offset } = entry;
  if (dtype === null) requireFloat32(entry, `${source.name}(${name})`);
  const bytes = sizeOf(shape) * elementBytes[dtype!];
  return arrayFromBytes(dtype!, shape, await source.read(offset, bytes));
}
