import { strFromU8, strToU8 } from 'fflate';
import {
  get,
  open,
  registry,
  root,
  type Array as ZarrArray,
  type AsyncReadable,
  type DataType,
} from 'zarrita';
import { isLossledgerError } from '../errors.js';
import { halfToNumber } from '../num/half.js';
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
import { damaged, misfit } from './source.js';

/** Files by their paths below a group, such as `x/zarr.json`. */
export interface ZarrStore {
  /** Undefined where there is none. */
  get(path: string): Promise<Uint8Array | undefined>;
}

/** One codec of metadata as it stands in a file: `name` in version 3, `id` in version 2. */
interface StoredCodec {
  readonly name?: unknown;
  readonly id?: unknown;
  readonly configuration?: { readonly codecs?: unknown; readonly index_codecs?: unknown } | null;
}

/** Metadata of an array, of either version, as far as they are looked at here. */
interface Metadata {
  readonly codecs?: unknown;
  readonly filters?: unknown;
  readonly compressor?: unknown;
  /** Version 2, such as `<f4`; version 3, such as `float32`. */
  readonly dtype?: unknown;
  readonly data_type?: unknown;
  readonly fill_value?: unknown;
  /** Version 3; those of version 2 are a file of their own. */
  readonly attributes?: unknown;
}

/** Codecs that the library knows without listing them. */
const unlisted = ['sharding_indexed', 'numcodecs.fixedscaleoffset'];

/**
 * Reads the array `name` of a Zarr group (version 2 or 3), of whose files `stored` bytes are there. Throws DataError, naming `file`,
 * where metadata or chunks are damaged, are of a kind that is not known, or claim far more than is stored.
 */
export async function readZarrArray(
  store: ZarrStore,
  name: string,
  stored: number,
  file: string,
): Promise<NdArray> {
  try {
    const version3 = (await store.get(`${name}/zarr.json`)) !== undefined;
    const metadata = await metadataOf(store, `${name}/${version3 ? 'zarr.json' : '.zarray'}`);
    requireKnownCodecs(metadata, file);
    requireUnpacked(version3 ? metadata.attributes : await metadataOf(store, `${name}/.zattrs`), file);
    const half = halfTypeOf(metadata);
    const files = half === null ? store : withHalvesAsIntegers(store, metadata, half, file);
    const reachable = { get: (key: `/${string}`) => files.get(key.slice(1)) };
    const place = root(reachable).resolve(name);
    const array = await (version3 ? open.v3(place, { kind: 'array' }) : open.v2(place, { kind: 'array' }));
    const dtype = half ?? elementTypeOf(array, file);
    const claimed = Math.max(checkedBytes(dtype, array.shape, file), checkedBytes(dtype, array.chunks, file));
    requireCredible(claimed, stored, file);
    const { data, shape, stride } = await get(array);
    return rowMajor(dtype, shape, data as Iterable<number>, stride, file);
  } catch (cause) {
    if (isLossledgerError(cause)) throw cause;
    throw damaged(file, 'not readable as a Zarr array', 'a Zarr v2 or v3 array of numbers', cause);
  }
}

/** Empty where there are none, or they are no JSON object; the library says so. */
async function metadataOf(store: ZarrStore, path: string): Promise<Metadata> {
  const bytes = await store.get(path);
  if (bytes === undefined) return {};
  try {
    const content: unknown = JSON.parse(strFromU8(bytes));
    return typeof content === 'object' && content !== null ? content : {};
  } catch {
    return {};
  }
}

/** What the climate and forecast conventions (CF, as xarray writes it) multiply stored numbers by and add to them, and what changes nothing. */
const packing = { scale_factor: 1, add_offset: 0 } as const;

/** Throws DataError where an array's attributes say that its numbers stand for others: Zarr itself knows nothing of that, so nobody applies it. */
function requireUnpacked(attributes: unknown, file: string): void {
  const given = Object.entries(packing).flatMap(([name, neutral]) => {
    const value = (attributes as Readonly<Record<string, unknown>> | null | undefined)?.[name];
    return value === undefined || value === neutral ? [] : [`${name} ${JSON.stringify(value)}`];
  });
  if (given.length === 0) return;
  throw misfit(
    file,
    `packed numbers (attributes ${given.join(', ')})`,
    'numbers as they are meant',
    'decode the array and store it anew (xarray: open it with decode_cf, then drop these keys of `encoding`)',
  );
}

/** Numbers whose elements stand `stride` apart along each axis, as bytes with the last axis fastest. */
function rowMajor(
  dtype: ElementType,
  shape: readonly number[],
  data: Iterable<number>,
  stride: readonly number[],
  file: string,
): NdArray {
  const plain = ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : dtype === 'bool'
      ? Uint8Array.from(data, Number)
      : null;
  if (plain?.length !== sizeOf(shape) * elementBytes[dtype]) {
    throw damaged(file, `contents that are no ${dtype}`, 'what its metadata says');
  }
  const axes = [...shape.keys()].sort((a, b) => stride[b]! - stride[a]! || a - b);
  const ordered = axes.every((axis, k) => axis === k);
  return arrayFromBytes(
    dtype,
    shape,
    ordered ? plain : gatherStrided(plain, shape, stride, elementBytes[dtype]),
  );
}

function elementTypeOf({ dtype }: ZarrArray<DataType, AsyncReadable>, file: string): ElementType {
  if (Object.hasOwn(elementBytes, dtype)) return dtype as ElementType;
  throw misfit(file, `elements of type ${dtype}`, Object.keys(elementBytes).join(', '), 'convert the array');
}

/** The 16-bit float type of an array, for which the library needs a newer JavaScript; null for any other. */
function halfTypeOf({ dtype, data_type: dataType }: Metadata): 'float16' | 'bfloat16' | null {
  if (typeof dtype === 'string' && /^[<>|]f2$/.test(dtype)) return 'float16';
  return dataType === 'float16' || dataType === 'bfloat16' ? dataType : null;
}

/** The store with an array's 16-bit floats declared as the integers that hold their bits. */
function withHalvesAsIntegers(
  store: ZarrStore,
  metadata: Metadata,
  half: 'float16' | 'bfloat16',
  file: string,
): ZarrStore {
  const numeric = codecNames(metadata).find((codec) => /delta|bitround|cast_value|scale/.test(codec));
  if (numeric !== undefined)
    throw misfit(file, `codec ${numeric} of ${half}`, 'none that computes', 'write float32');
  const fill = halfBits(half, metadata.fill_value, file);
  const types =
    typeof metadata.dtype === 'string'
      ? { dtype: metadata.dtype.replace('f2', 'u2') }
      : { data_type: 'uint16' };
  const declared = strToU8(JSON.stringify({ ...metadata, ...types, fill_value: fill }));
  return {
    get: async (path) => {
      const bytes = await store.get(path);
      return bytes !== undefined && /\/(zarr\.json|\.zarray)$/.test(path) ? declared : bytes;
    },
  };
}

/** The 16 bits of a number. */
function halfBits(half: 'float16' | 'bfloat16', value: unknown, file: string): number {
  if (value === null || value === undefined) return 0;
  const number = Number(value);
  for (let bits = 0; bits < 65_536; bits++) if (Object.is(halfToNumber(half, bits), number)) return bits;
  throw misfit(file, `fill_value ${JSON.stringify(value)}`, `a ${half} number`, 'write the array as float32');
}

/**
 * Throws DataError where an array's metadata name a codec that is not known, or codecs in an order that the library does not follow.
 * It would find out the first itself, but of several unknown codecs it reports only one; the others would end the process.
 */
function requireKnownCodecs(metadata: Metadata, file: string): void {
  const names = codecNames(metadata);
  const unknown = names.find((codec) => !registry.has(codec) && !unlisted.includes(codec));
  if (unknown !== undefined) {
    const known = [...registry.keys()].filter((codec) => !codec.startsWith('numcodecs.')).join(', ');
    throw misfit(file, `codec ${unknown}`, known, 'write the array with one of these, or uncompressed');
  }
  const outer = listOf(metadata.codecs).map((codec) => nameOf(codec, 'name'));
  const transposed = names.filter((codec) => codec === 'transpose').length;
  if (transposed > 1 || (outer.includes('sharding_indexed') && outer.length > 1)) {
    throw misfit(
      file,
      `codecs ${names.join(', ')}`,
      'one transposition; nothing around shards',
      'write the array without',
    );
  }
}

/** Names of all codecs, those inside shards too. */
function codecNames({ codecs, filters, compressor }: Metadata): string[] {
  const older = [...listOf(filters), ...(compressor ? [compressor as StoredCodec] : [])];
  return [...namesOf(codecs), ...older.map((codec) => `numcodecs.${nameOf(codec, 'id')}`)];
}

function namesOf(codecs: unknown): string[] {
  return listOf(codecs).flatMap((codec) => {
    const { codecs: inner, index_codecs: index } = codec?.configuration ?? {};
    return [nameOf(codec, 'name'), ...namesOf(inner), ...namesOf(index)];
  });
}

/** The library walks over whatever can be walked over, letters too. */
function listOf(value: unknown): readonly (StoredCodec | null)[] {
  if (Array.isArray(value)) return value as readonly (StoredCodec | null)[];
  return typeof value === 'string' && value !== '' ? [null] : [];
}

function nameOf(codec: StoredCodec | null, key: 'name' | 'id'): string {
  const name = codec?.[key];
  return typeof name === 'string' ? name : 'without a name';
}
