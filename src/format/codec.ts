import { Array as ZarrArray, type ArrayMetadata, create, root, set } from 'zarrita';
import { StoreError } from '../errors.js';
import type { Numbers } from '../ledger/types.js';
import { type ArraySpec, arraysOf, bytesOf, chunkPath, chunkShapeOf, type StoredDType } from './arrays.js';
import type { RunContext } from './context.js';
import { formatVersion, type Manifest } from './manifest.js';
import { damaged } from './source.js';
import { expectedDigest, type RunState } from './state.js';

/** Memory that zarrita writes to; a Zarr key is a path that begins with a slash. */
type Files = Map<`/${string}`, Uint8Array>;

const level = 1;

function codecsOf({ compressed }: ArraySpec) {
  const bytes = { name: 'bytes', configuration: { endian: 'little' } };
  return compressed ? [bytes, { name: 'zstd', configuration: { level, checksum: false } }] : [bytes];
}

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
      codecs: codecsOf(spec),
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
  return dtype === 'int32' ? 0 : NaN;
}

/** An array of one chunk in memory, with which zarrita encodes and decodes. */
function oneChunk(spec: ArraySpec, files: Files): ZarrArray<StoredDType, Files> {
  const chunkShape = chunkShapeOf(spec);
  const metadata: ArrayMetadata<StoredDType> = {
    zarr_format: 3,
    node_type: 'array',
    shape: chunkShape,
    data_type: spec.dtype,
    chunk_grid: { name: 'regular', configuration: { chunk_shape: chunkShape } },
    chunk_key_encoding: { name: 'default', configuration: { separator: '/' } },
    codecs: codecsOf(spec),
    fill_value: fillOf(spec.dtype),
    attributes: {},
  };
  return new ZarrArray(files, '/', metadata);
}

function chunkKey(spec: ArraySpec): `/${string}` {
  return `/c/${spec.shape.map(() => 0).join('/')}`;
}

/** Encodes one whole chunk. */
export async function encodeChunk(spec: ArraySpec, data: Numbers): Promise<Uint8Array> {
  const files: Files = new Map();
  const shape = chunkShapeOf(spec);
  const stride = shape.map((_, axis) => shape.slice(axis + 1).reduce((size, extent) => size * extent, 1));
  await set(oneChunk(spec, files), null, { data, shape, stride });
  return files.get(chunkKey(spec))!;
}

/** Decodes one whole chunk. `path` is for messages. */
export async function decodeChunk(spec: ArraySpec, bytes: Uint8Array, path: string): Promise<Numbers> {
  const expected = chunkShapeOf(spec).reduce((size, extent) => size * extent, 1);
  if (!spec.compressed && bytes.length !== expected * bytesOf[spec.dtype]) {
    throw damaged(path, `it holds ${bytes.length} bytes instead of ${expected * bytesOf[spec.dtype]}`);
  }
  try {
    const array = oneChunk(spec, new Map([[chunkKey(spec), bytes]]));
    const { data } = await array.getChunk(spec.shape.map(() => 0));
    if (data.length !== expected)
      throw damaged(path, `it holds ${data.length} numbers instead of ${expected}`);
    return data;
  } catch (error) {
    throw error instanceof StoreError ? error : damaged(path, 'it cannot be decompressed', error);
  }
}

/** Reads one chunk file, which must be there, with its checksum compared. Throws StoreError. */
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
  if (context.digest(bytes) !== expectedDigest(context, state, spec, chunk))
    throw damaged(place, 'its checksum differs');
  return decodeChunk(spec, bytes, place);
}
