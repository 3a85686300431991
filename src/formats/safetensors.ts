import { strFromU8 } from 'fflate';
import { checkedBytes, type ElementType } from './array.js';
import { damaged, misfit, type ByteSource } from './source.js';

/** Where one tensor of a safetensors file stands. */
export interface SafetensorsEntry {
  /** Null: a type without a counterpart here, such as F8_E4M3. */
  readonly dtype: ElementType | null;
  /** As the file calls it. */
  readonly storedType: string;
  readonly shape: readonly number[];
  /** Place of the first element in the file. */
  readonly offset: number;
}

/** Largest header that is accepted. */
const maxHeaderBytes = 2 ** 24;

/** A header is an object of objects of lists; metadata may quote some more. */
const maxNesting = 1000;

const typeNames: Readonly<Record<string, ElementType>> = {
  U8: 'uint8', I8: 'int8', BOOL: 'bool', U16: 'uint16', I16: 'int16', U32: 'uint32', I32: 'int32',
  U64: 'uint64', I64: 'int64', 
  F16: 'float16', BF16: 'bfloat16', F32: 'float32', F64: 'float64',
}; // prettier-ignore

/** Reads the table of a safetensors file, tensors by name. Throws DataError for damage and claims beyond the file's length. */
export async function readSafetensors(source: ByteSource): Promise<ReadonlyMap<string, SafetensorsEntry>> {
  const prefix = await source.read(0, 8);
  const length = Number(new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true));
  if (length > Math.min(maxHeaderBytes, source.size - 8)) {
    throw damaged(
      source.name,
      `a header of ${length} bytes in a file of ${source.size}`,
      `a header of at most ${Math.min(maxHeaderBytes, source.size - 8)} bytes`,
    );
  }
  const header = parseHeader(await source.read(8, length), source.name);
  const start = 8 + length;
  const entries = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => [name, checkEntry(entry, start, source, name)] as const);
  requireWhole(entries, start, source);
  return new Map(entries);
}

/**
 * Throws DataError where tensors overlap, or bytes are of none, as the format has it: so a file shows that was put together wrong, or whose
 * header has two tensors of one name, of which one would be lost.
 */
function requireWhole(
  entries: readonly (readonly [string, SafetensorsEntry & { readonly bytes: number }])[],
  start: number,
  source: ByteSource,
): void {
  let at = start;
  const inOrder = [...entries].sort(([, a], [, b]) => a.offset - b.offset || a.bytes - b.bytes);
  for (const [name, { offset, bytes }] of inOrder) {
    if (offset !== at) throw disjoint(source.name, offset > at ? `${offset - at} bytes before ${name} that are of no tensor, or of another of the same name` : `${name}, whose numbers begin inside of another tensor's`); // prettier-ignore
    at += bytes;
  }
  if (at !== source.size) throw disjoint(source.name, `${source.size - at} bytes behind the last tensor`);
}

const disjoint = (file: string, found: string): Error =>
  damaged(file, found, 'tensors one behind the other to the end of the file, each of a name of its own');

function parseHeader(bytes: Uint8Array, file: string): Record<string, unknown> {
  if (nesting(bytes) > maxNesting) throw damaged(file, 'a deeply nested header', 'a safetensors header');
  try {
    const header: unknown = JSON.parse(strFromU8(bytes));
    if (typeof header === 'object' && header !== null && !Array.isArray(header)) {
      return header as Record<string, unknown>;
    }
  } catch (cause) {
    throw damaged(file, 'a header that is not JSON', 'a safetensors header', cause);
  }
  throw damaged(file, 'a header that is no JSON object', 'a safetensors header');
}

/** How deep brackets stand in brackets; those inside strings count too, which no real name notices. */
function nesting(bytes: Uint8Array): number {
  let depth = 0;
  let deepest = 0;
  for (const byte of bytes) {
    if (byte === 0x5b || byte === 0x7b) deepest = Math.max(deepest, ++depth);
    else if (byte === 0x5d || byte === 0x7d) depth--;
  }
  return deepest;
}

function isLengths(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((each) => Number.isSafeInteger(each) && (each as number) >= 0);
}

function checkEntry(entry: unknown, start: number, source: ByteSource, name: string) {
  const file = `${source.name}(${name})`;
  const { dtype, shape, data_offsets: span } = (entry ?? {}) as Record<string, unknown>;
  if (typeof dtype !== 'string' || !isLengths(shape) || !isLengths(span) || span.length !== 2) {
    throw damaged(file, 'a malformed entry', 'dtype, shape and data_offsets');
  }
  const [begin, end] = span as [number, number];
  const known = Object.hasOwn(typeNames, dtype) ? typeNames[dtype]! : null;
  const bytes = known === null ? end - begin : checkedBytes(known, shape, file);
  if (end - begin !== bytes || bytes < 0 || start + end > source.size) {
    throw damaged(
      file,
      `data_offsets [${begin}, ${end}] of a ${dtype} tensor [${shape.join(', ')}] (truncated or inconsistent)`,
      `${bytes} bytes within the ${source.size - start} that follow the header`,
    );
  }
  return { dtype: known, storedType: dtype, shape, offset: start + begin, bytes };
}

/** Throws DataError where a tensor's numbers are not float32, the type of all parameters. */
export function requireFloat32(
  entry: { dtype: ElementType | null; storedType?: string },
  file: string,
): void {
  if (entry.dtype === 'float32') return;
  throw misfit(
    file,
    `numbers of type ${entry.storedType ?? String(entry.dtype)}`,
    'float32',
    'convert before saving (PyTorch: tensor.float(); numpy: array.astype("float32"))',
  );
}
