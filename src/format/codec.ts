import { create, root } from 'zarrita';
import type { Numbers } from '../ledger/types.js';
import { type ArraySpec, arraysOf, bytesOf, chunkPath, chunkShapeOf, type StoredDType } from './arrays.js';
import type { RunContext } from './context.js';
import { formatVersion, type Manifest } from './manifest.js';
import { damaged } from './source.js';
import { expectedDigest, type RunState } from './state.js';

/** Memory that zarrita writes to; a Zarr key is a path that begins with a slash. */
type Files = Map<`/${string}`, Uint8Array>;

/** Numbers as they are, lowest byte first: a reader can fetch any of them by its place. */
const codecs = [{ name: 'bytes', configuration: { endian: 'little' } }];

/** The zarr.json files of all groups and arrays, by path inside the run folder. They follow from the manifest alone. */
export async function zarrMetadata(manifest: Manifest): Promise<Map<string, Uint8Array>> {
  const files: Files = new Map();
  const top = root(files);
  await create(top, { attributes: rootAttributes(manifest) });
  const specs = arraysOf(manifest);
  for (const group of groupsOf(specs)) await create(top.resolve(group));
  for (const spec of specs) {
    await create(top.resolve(spec.name), {
      dtype: spec.dtype,
      shape: [...spec.shape],
      chunkShape: chunkShapeOf(spec),
      chunkSeparator: '/',
      codecs,
      fillValue: fillOf(spec.dtype),
      dimensionNames: [...spec.dimensions],
      attributes: { description: spec.description, unit: spec.unit },
    });
  }
  return new Map([...files].map(([path, bytes]) => [`ledger.zarr${path}`, bytes]));
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
  if (dtype === 'uint8') return own;
  if (dtype === 'int32') return new Int32Array(own.buffer);
  return dtype === 'float64' ? new Float64Array(own.buffer) : new Float32Array(own.buffer);
}

function swap(bytes: Uint8Array, size: number): void {
  for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse();
}

/** The numbers [rows, …] of one whole chunk. `path` is for messages. Throws StoreError where it holds another number of bytes. */
export function decodeChunk(spec: ArraySpec, bytes: Uint8Array, path: string): Numbers {
  const expected = bytesOf[spec.dtype] * chunkShapeOf(spec).reduce((size, extent) => size * extent, 1);
  if (bytes.length !== expected) throw damaged(path, `it holds ${bytes.length} bytes instead of ${expected}`);
  return decodeNumbers(bytes, spec.dtype);
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
  return decodeChunk(spec, bytes, place);
}
