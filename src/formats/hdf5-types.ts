import type { Dataset } from 'h5wasm';
import type { ElementType } from './array.js';

/** Part of a file, from its first byte to the one behind its last. */
export type Span = readonly [from: number, to: number];

/** How a file's floats of a width in bytes are to be read; null: in a form that is none here, or in several, which cannot be told apart from here. */
export type FloatTypes = (width: number) => ElementType | null;

/** Length of HDF5's description of a float (datatype message, class 1). */
const messageBytes = 20;

/** Forms of floats: bytes, place and width of the exponent, of the mantissa, and bias. */
const forms: Readonly<Record<string, ElementType>> = {
  '2,10,5,0,10,15': 'float16',
  '2,7,8,0,7,127': 'bfloat16',
  '4,23,8,0,23,127': 'float32',
  '8,52,11,0,52,1023': 'float64',
};

/** Element types by HDF5's class (0 whole numbers, 1 floats) and width; null where there is none here. */
export function elementTypeOf(
  { type, size, signed }: Dataset['metadata'],
  floatTypes: FloatTypes,
): ElementType | null {
  if (type === 1) return floatTypes(size);
  if (type !== 0 || ![1, 2, 4, 8].includes(size)) return null;
  return `${signed ? '' : 'u'}int${8 * size}` as ElementType;
}

/** The element type, or where it is none of these, what HDF5 says. */
export function storedTypeOf({ dtype, metadata }: Dataset, known: ElementType | null): string {
  if (metadata.type === 1 && known === null) return strangeFloat(metadata.size);
  return known ?? (typeof dtype === 'string' ? dtype : 'compound');
}

/** What to call floats of a width in bytes whose form is not known. */
function strangeFloat(width: number): string {
  const own = [...new Set(Object.entries(forms).filter(([form]) => form.startsWith(`${width},`)).map(([, type]) => type))]; // prettier-ignore
  const kind = `${8 * width}-bit float`;
  if (own.length === 0) return kind;
  return `${kind} that is ${own.length > 1 ? `neither ${own.join(' nor ')}` : `no ${own[0]!}`}, or of a file that has several kinds of them`;
}

/** What says which floats a file holds, from the parts `spans` of it, in which the types of its arrays stand; they are looked through when this is asked for first. */
export function floatTypes(
  size: number,
  read: (offset: number, length: number) => Uint8Array,
  spans: readonly Span[],
): FloatTypes {
  let known: ReadonlyMap<number, ReadonlySet<ElementType | null>> | undefined;
  return (width) => {
    const found = (known ??= typesIn(size, read, spans)).get(width);
    return found?.size === 1 ? [...found][0]! : null;
  };
}

/**
 * The library tells the width of floats and not their form, so the descriptions of types are looked for that stand in what it read to
 * open the arrays. Half of their 20 bytes are the same for all or bound each other, which other bytes do not by chance.
 */
function typesIn(
  size: number,
  read: (offset: number, length: number) => Uint8Array,
  spans: readonly Span[],
): Map<number, Set<ElementType | null>> {
  const found = new Map<number, Set<ElementType | null>>();
  for (const [from, to] of joined(spans, size)) {
    const bytes = read(from, to - from);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at + messageBytes <= bytes.length; at++) {
      const width = bytes[at + 4]!;
      if ((bytes[at]! & 0x0f) !== 1 || ![2, 4, 8].includes(width)) continue;
      const type = typeAt(view, at, width);
      if (type !== undefined) found.set(width, (found.get(width) ?? new Set()).add(type));
    }
  }
  return found;
}

/** Spans in order, those that touch as one: a description may have been read in two pieces. */
function joined(spans: readonly Span[], size: number): Span[] {
  const result: [number, number][] = [];
  for (const [from, to] of [...spans].sort(([a], [b]) => a - b)) {
    const last = result.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.min(size, Math.max(last[1], to));
    else result.push([from, Math.min(size, to)]);
  }
  return result;
}

/** The type whose description starts there, null for a form that is none here; undefined where there is no description. */
function typeAt(view: DataView, at: number, width: number): ElementType | null | undefined {
  const byte = (place: number): number => view.getUint8(at + place);
  const short = (place: number): number => view.getUint16(at + place, true);
  const [flags, sign, offset, precision] = [byte(1), byte(2), short(8), short(10)];
  const [exponentAt, exponent, mantissaAt, mantissa] = [byte(12), byte(13), byte(14), byte(15)];
  const bias = view.getUint32(at + 16, true);
  const end = offset + precision;
  const isDescription =
    (flags & 0x80) === 0 &&
    byte(3) === 0 &&
    view.getUint32(at + 4, true) === width &&
    end <= 8 * width &&
    exponent >= 2 &&
    mantissa >= 1 &&
    exponent + mantissa < precision &&
    Math.max(exponentAt + exponent, mantissaAt + mantissa, sign + 1) <= end &&
    (exponentAt + exponent <= mantissaAt || mantissaAt + mantissa <= exponentAt) &&
    bias > 0 &&
    bias < 2 ** exponent;
  if (!isDescription) return undefined;
  // Bits 4 and 5: the first bit of the mantissa is implied; bit 6: the order of bytes of a VAX.
  const isPlain =
    (flags & 0x70) === 0x20 && offset === 0 && precision === 8 * width && sign === 8 * width - 1;
  return (isPlain && forms[[width, exponentAt, exponent, mantissaAt, mantissa, bias].join()]) || null;
}
