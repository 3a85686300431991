import type { ByteSource } from './source.js';

/** How a file's 16-bit floats are to be read; null: as neither, or of both kinds, which cannot be told apart from here. */
export type HalfType = 'float16' | 'bfloat16' | null;

/** Bytes that are looked through at once. */
const pieceBytes = 2 ** 20;

/** Length of HDF5's description of a float (datatype message, class 1). */
const messageBytes = 20;

/** What tells the kinds apart in it: place and width of the exponent, place and width of the mantissa, bias in 4 bytes. */
const kinds: Readonly<Record<string, Exclude<HalfType, null>>> = {
  '10,5,0,10,15,0,0,0': 'float16',
  '7,8,0,7,127,0,0,0': 'bfloat16',
};

/** What says which 16-bit floats a file holds; the file is looked through when this is asked for first. */
export function halfTypes(
  { size }: Pick<ByteSource, 'size'>,
  read: (offset: number, length: number) => Uint8Array,
): () => HalfType {
  let known: HalfType | undefined;
  return () => (known === undefined ? (known = halfTypeOf(size, read)) : known);
}

/**
 * The library tells the width of floats and not their form, so the descriptions of types that stand in the file are looked for. Eleven
 * of their 20 bytes are the same for all, which numbers do not have by chance.
 */
function halfTypeOf(size: number, read: (offset: number, length: number) => Uint8Array): HalfType {
  const found = new Set<HalfType>();
  for (let from = 0; from + messageBytes <= size; from += pieceBytes) {
    const piece = read(from, Math.min(pieceBytes + messageBytes - 1, size - from));
    // The width, in bytes 4 to 7, is looked for first: most of a file is left by one look.
    for (let width = piece.indexOf(2, 4); width >= 0; width = piece.indexOf(2, width + 1)) {
      const start = width - 4;
      if (isHalfAt(piece, start)) found.add(kinds[piece.subarray(start + 12, start + 20).join(',')] ?? null);
    }
  }
  return found.size === 1 ? [...found][0]! : null;
}

/** Whether the description of a 16-bit float with an implied first bit starts there. */
function isHalfAt(bytes: Uint8Array, at: number): boolean {
  if (at + messageBytes > bytes.length) return false;
  const is = (place: number, ...values: number[]): boolean =>
    values.every((value, k) => bytes[at + place + k] === value);
  return (
    (bytes[at]! & 0x0f) === 1 &&
    (bytes[at + 1]! & 0xbe) === 0x20 &&
    is(3, 0, 2, 0, 0, 0) &&
    is(8, 0, 0, 16, 0)
  );
}
