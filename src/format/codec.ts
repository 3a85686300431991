import { create, root } from 'zarrita';
import type { Numbers } from '../ledger/types.js';
import {
  type ArraySpec,
  arraysOf,
  bytesOf,
  chunkPath,
  chunkShapeOf,
  isSharded,
  type StoredDType,
} from './layout/arrays.js';
import type { RunContext } from './context.js';
import { formatVersion, type Manifest } from './manifest.js';
import { damaged } from './source.js';
import { expectedDigest, type RunState } from './state.js';

/** Memory that zarrita writes to; a Zarr key is a path that begins with a slash. */
class Files extends Map<`/${string}`, Uint8Array> {
  /** Without it no sharded array is made, though nothing is read. */
  getRange(): undefined {
    return undefined;
  }
}

/** Numbers as they are, lowest byte first: a reader can fetch any of them by its place. */
const codecs = [{ name: 'bytes', configuration: { endian: 'little' } }];

/** The zarr.json files of all groups and arrays, by path inside the run folder. They follow from the manifest alone. */
export async function zarrMetadata(manifest: Manifest): Promise<Map<string, Uint8Array>> {
  const files = new Files();
  const top = root(files);
  await create(top, { attributes: rootAttributes(manifest) });
  const specs = arraysOf(manifest);
  for (const group of groupsOf(specs)) await create(top.resolve(group));
  for (const spec of specs) {
    await create(top.resolve(spec.name), {
      dtype: spec.dtype,
      shape: [...spec.shape],
      chunkShape: [spec.chunkRows * spec.shardChunks, ...spec.shape.slice(1)],
      chunkSeparator: '/',
      codecs: isSharded(spec) ? [shardingOf(spec)] : codecs,
      fillValue: fillOf(spec.dtype),
      dimensionNames: [...spec.dimensions],
      attributes: { description: spec.description, unit: spec.unit },
    });
  }
  return new Map([...files].map(([path, bytes]) => [`ledger.zarr${path}`, bytes]));
}

/** Chunks end to end, each with a place in the index behind them (`shards.ts`). */
function shardingOf(spec: ArraySpec) {
  const index_codecs = [...codecs, { name: 'crc32c' }];
  return {
    name: 'sharding_indexed',
    configuration: { chunk_shape: chunkShapeOf(spec), codecs, index_codecs, index_location: 'end' },
  };
}

/** Enough to read the arrays without the manifest beside them. */
function rootAttributes({ layers, parameters, quadrature, objectives }: Manifest) {
  return { format: 'lossledger', formatVersion, objectives, quadrature, layers, parameters };
}

function groupsOf(specs: readonly ArraySpec[]): Set<string> {
  const parents = specs.flatMap(({ name }) => {
    const parts = name.split('/').slice(0, -1);
    return parts.map((_, depth) => parts.slice(0, depth + 1).join('/'));
  });
  return new Set(parents);
}

/** What a reader sees where nothing is stored yet. */
function fillOf(dtype: StoredDType): number {
  return dtype === 'int32' || dtype === 'uint8' ? 0 : NaN;
}

const isBigEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0;

/** A copy of the bytes of numbers [n], lowest byte first on every machine. `bytes`: where to, of the right length; default new memory. */
export function encodeNumbers(
  numbers: Numbers,
  bytes: Uint8Array = new Uint8Array(numbers.byteLength),
): Uint8Array {
  bytes.set(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
  if (isBigEndian) swap(bytes, numbers.BYTES_PER_ELEMENT);
  return bytes;
}

/** The numbers [n] of such bytes, on memory of their own. */
export function decodeNumbers(bytes: Uint8Array, dtype: StoredDType): Numbers {
  const own = new Uint8Array(bytes);
  if (isBigEndian) swap(own, bytesOf[dtype]);
  return numbersOn(own, dtype);
}

/** Sets numbers [n] to those of such bytes. */
export function decodeInto(numbers: Numbers, bytes: Uint8Array): void {
  const own = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  own.set(bytes);
  if (isBigEndian) swap(own, numbers.BYTES_PER_ELEMENT);
}

/** The numbers [n] of such bytes on the same memory, so that they follow it; null where it does not lie right for that, or the machine orders bytes otherwise. */
export function numbersAt(bytes: Uint8Array, dtype: StoredDType): Numbers | null {
  const liesRight = !isBigEndian && bytes.byteOffset % bytesOf[dtype] === 0;
  return liesRight ? numbersOn(bytes, dtype) : null;
}

function numbersOn({ buffer, byteOffset, length }: Uint8Array, dtype: StoredDType): Numbers {
  if (dtype === 'uint8') return new Uint8Array(buffer, byteOffset, length);
  if (dtype === 'int32') return new Int32Array(buffer, byteOffset, length / 4);
  return dtype === 'float64'
    ? new Float64Array(buffer, byteOffset, length / 8)
    : new Float32Array(buffer, byteOffset, length / 4);
}

function swap(bytes: Uint8Array, size: number): void {
  for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse();
}

/**
 * The numbers [rows, …] of one whole chunk. `path` is for messages; `shared`: they may lie on the memory of the bytes. Throws StoreError where it
 * holds another number of bytes.
 */
export function decodeChunk(spec: ArraySpec, bytes: Uint8Array, path: string, shared = false): Numbers {
  const expected = bytesOf[spec.dtype] * chunkShapeOf(spec).reduce((size, extent) => size * extent, 1);
  if (bytes.length !== expected) throw damaged(path, `it holds ${bytes.length} bytes instead of ${expected}`);
  return (shared ? numbersAt(bytes, spec.dtype) : null) ?? decodeNumbers(bytes, spec.dtype);
}

/** Reads the numbers [rows, …] of one chunk file, which must be there, with its checksum compared. Throws StoreError. */
export async function readChunk(
  context: RunContext,
  state: RunState,
  spec: ArraySpec,
  chunk: number,
): Promise<Numbers> {
  const path = chunkPath(spec, chunk);
  const place = `${context.place}/${path}`;
  const bytes = await context.source.get(path);
  if (bytes === undefined) throw damaged(place, 'it is missing');
  if ((await context.chunkDigest(bytes)) !== expectedDigest(context, state, spec, chunk))
    throw damaged(place, 'its checksum differs');
  return decodeChunk(spec, bytes, place, isWhole(bytes));
}

/** Whether bytes take up all of their memory: then nothing else is kept with them, or changed with them. */
function isWhole({ byteLength, buffer }: Uint8Array): boolean {
  return byteLength === buffer.byteLength;
}
