import { Inflate, strFromU8 } from 'fflate';
import { maxArrayBytes, requireCredible } from './array.js';
import { damaged, memorySource, misfit, type ByteSource } from './source.js';

/** One file inside a zip archive. */
export interface ZipEntry {
  readonly name: string;
  readonly compressed: boolean;
  /** Place of the local header. */
  readonly headerOffset: number;
  readonly compressedSize: number;
  readonly size: number;
  readonly crc: number;
}

const endRecordBytes = 22;
const maxCommentBytes = 65_535;
/** Largest table of contents that is accepted. */
const maxDirectoryBytes = 2 ** 24;

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** A 64-bit length; beyond 2^53 it is no length of a real file, and comparisons with the file's size refuse it. */
const bigLength = (view: DataView, at: number) => Number(view.getBigUint64(at, true));

/** The entries of an archive, by name. Throws DataError for damage, encryption and claims that no real archive makes. */
export async function readZipDirectory(source: ByteSource): Promise<ReadonlyMap<string, ZipEntry>> {
  const { offset, size } = await locateDirectory(source);
  if (size > maxDirectoryBytes) {
    throw damaged(source.name, `a table of contents of ${size} bytes`, `at most ${maxDirectoryBytes} bytes`);
  }
  const view = viewOf(await source.read(offset, size));
  const entries = new Map<string, ZipEntry>();
  for (let at = 0; at < size;) {
    const { entry, length } = parseEntry(view, at, source.name);
    entries.set(entry.name, checkEntry(entry, source));
    at += length;
  }
  return entries;
}

async function locateDirectory(source: ByteSource): Promise<{ offset: number; size: number }> {
  const tailSize = Math.min(source.size, endRecordBytes + maxCommentBytes);
  const tailOffset = source.size - tailSize;
  const tail = viewOf(await source.read(tailOffset, tailSize));
  for (let at = tailSize - endRecordBytes; at >= 0; at--) {
    if (tail.getUint32(at, true) !== 0x06054b50) continue;
    const offset = tail.getUint32(at + 16, true);
    const size = tail.getUint32(at + 12, true);
    const large = offset === 0xffffffff || size === 0xffffffff || tail.getUint16(at + 10, true) === 0xffff;
    return large ? locateLargeDirectory(source, tailOffset + at) : { offset, size };
  }
  throw damaged(source.name, 'no end of a zip archive', 'a whole zip archive, as numpy.savez writes');
}

/** Zip64: a locator of 20 bytes before the end record points to a record with 64-bit lengths. */
async function locateLargeDirectory(
  source: ByteSource,
  endOffset: number,
): Promise<{ offset: number; size: number }> {
  const locator = viewOf(await source.read(endOffset - 20, 20));
  if (locator.getUint32(0, true) !== 0x07064b50)
    throw damaged(source.name, 'no zip64 locator', 'a whole zip archive');
  const record = viewOf(await source.read(bigLength(locator, 8), 56));
  if (record.getUint32(0, true) !== 0x06064b50)
    throw damaged(source.name, 'no zip64 record', 'a whole zip archive');
  return { offset: bigLength(record, 48), size: bigLength(record, 40) };
}

interface ParsedEntry {
  readonly entry: ZipEntry & { readonly method: number; readonly encrypted: boolean };
  readonly length: number;
}

function parseEntry(view: DataView, at: number, file: string): ParsedEntry {
  const fits = (end: number) => end <= view.byteLength;
  if (!fits(at + 46) || view.getUint32(at, true) !== 0x02014b50) {
    throw damaged(file, 'a broken table of contents', 'a whole zip archive');
  }
  const nameLength = view.getUint16(at + 28, true);
  const extraLength = view.getUint16(at + 30, true);
  const length = 46 + nameLength + extraLength + view.getUint16(at + 32, true);
  if (!fits(at + length)) throw damaged(file, 'a broken table of contents', 'a whole zip archive');
  const name = strFromU8(new Uint8Array(view.buffer, view.byteOffset + at + 46, nameLength));
  const large = largeFields(view, at + 46 + nameLength, extraLength);
  const field = (place: number) => {
    const value = view.getUint32(at + place, true);
    return value === 0xffffffff ? (large.shift() ?? value) : value;
  };
  const size = field(24);
  const compressedSize = field(20);
  const method = view.getUint16(at + 10, true);
  const encrypted = (view.getUint16(at + 8, true) & 1) === 1;
  const crc = view.getUint32(at + 16, true);
  const headerOffset = field(42);
  return {
    entry: { name, compressed: method !== 0, headerOffset, compressedSize, size, crc, method, encrypted },
    length,
  };
}

/** The 64-bit lengths of an entry's zip64 extra field, in order. */
function largeFields(view: DataView, from: number, length: number): number[] {
  for (let at = from; at + 4 <= from + length;) {
    const size = view.getUint16(at + 2, true);
    if (view.getUint16(at, true) === 1 && at + 4 + size <= from + length) {
      return Array.from({ length: Math.floor(size / 8) }, (_, k) => bigLength(view, at + 4 + 8 * k));
    }
    at += 4 + size;
  }
  return [];
}

function checkEntry(entry: ParsedEntry['entry'], source: ByteSource): ZipEntry {
  const file = `${source.name}(${entry.name})`;
  if (entry.encrypted || (entry.method !== 0 && entry.method !== 8)) {
    throw misfit(
      file,
      'encrypted or compressed in a rare way',
      'stored or deflated',
      'write it with numpy.savez',
    );
  }
  if (entry.compressedSize > source.size || (!entry.compressed && entry.size !== entry.compressedSize)) {
    throw damaged(
      file,
      `${entry.compressedSize} compressed bytes claimed`,
      `what fits into ${source.size} bytes`,
    );
  }
  requireCredible(entry.size, entry.compressedSize, file);
  return entry;
}

const pieceBytes = 2 ** 20;
/** Compressed bytes that are decompressed at once; what comes of them is at most about a thousand times as long. */
const compressedPieceBytes = 2 ** 14;

async function* storedPieces(
  source: ByteSource,
  offset: number,
  size: number,
): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < size; at += pieceBytes)
    yield source.read(offset + at, Math.min(pieceBytes, size - at));
}

/** CRC-32 of each byte value (polynomial 0xedb88320). */
const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  return crc;
});

/** CRC-32 of bytes that follow others whose CRC-32 is `crc`. */
function crc32(bytes: Uint8Array, crc: number): number {
  let state = ~crc;
  for (let i = 0; i < bytes.length; i++) state = (state >>> 8) ^ crcTable[(state ^ bytes[i]!) & 255]!;
  return ~state >>> 0;
}

/** The contents of an entry, piece by piece. Throws DataError where it is damaged, longer than claimed, or its CRC differs. */
export async function* zipEntryPieces(source: ByteSource, entry: ZipEntry): AsyncGenerator<Uint8Array, void> {
  const file = `${source.name}(${entry.name})`;
  const header = viewOf(await source.read(entry.headerOffset, 30));
  if (header.getUint32(0, true) !== 0x04034b50) throw damaged(file, 'no local header', 'a whole zip archive');
  const offset = entry.headerOffset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
  const stored = storedPieces(source, offset, entry.compressedSize);
  let size = 0;
  let crc = 0;
  for await (const piece of entry.compressed ? inflated(stored, file) : stored) {
    size += piece.length;
    crc = crc32(piece, crc);
    if (size > entry.size) break;
    yield piece;
  }
  if (size !== entry.size) throw damaged(file, `${size} bytes or more`, `${entry.size} bytes, as claimed`);
  if (crc !== entry.crc) throw damaged(file, 'a wrong checksum', 'the CRC-32 of its table of contents');
}

/** An entry as a source of its own, held in memory. Throws DataError where it is damaged, or too long for that. */
export async function zipEntrySource(source: ByteSource, entry: ZipEntry): Promise<ByteSource> {
  const name = `${source.name}(${entry.name})`;
  if (entry.size > maxArrayBytes)
    throw misfit(
      name,
      `${entry.size} bytes`,
      `at most ${maxArrayBytes}`,
      'save the weights as a file of their own',
    );
  const bytes = new Uint8Array(entry.size);
  let at = 0;
  for await (const piece of zipEntryPieces(source, entry)) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return memorySource(bytes, name);
}

async function* inflated(
  pieces: AsyncGenerator<Uint8Array, void>,
  file: string,
): AsyncGenerator<Uint8Array, void> {
  let ready: Uint8Array[] = [];
  const inflate = new Inflate((piece) => ready.push(piece));
  const push = (compressed: Uint8Array, last: boolean): Uint8Array[] => {
    ready = [];
    try {
      inflate.push(compressed, last);
    } catch (cause) {
      throw damaged(file, 'contents that cannot be decompressed', 'a whole zip archive', cause);
    }
    return ready.filter(({ length }) => length > 0);
  };
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; at += compressedPieceBytes)
      yield* push(piece.subarray(at, at + compressedPieceBytes), false);
  }
  yield* push(new Uint8Array(0), true);
}
