import { ScalarType, type DescField, type DescMessage } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/**
 * What a file may hold besides the numbers of its tensors. A message or a name costs a hundred times its two bytes once it
 * is decoded, an integer of a list thirty times its one byte; with these limits decoding stays below ten times the file's
 * size plus 400 MB.
 */
const limits = {
  /** Nodes, tensors, attributes, names and other entries together. */
  entries: 1_000_000,
  /** Bytes of lists of integers that are stored with one to ten bytes each. */
  integerListBytes: 8 * 2 ** 20,
} as const;

interface Count {
  entries: number;
  integerListBytes: number;
}

/** Walks over the bytes of a message without decoding it; says what there is too much of, or null. */
export function excessOf(schema: DescMessage, bytes: Uint8Array): string | null {
  const count: Count = { entries: 0, integerListBytes: 0 };
  walk(schema, new BinaryReader(bytes), bytes.length, count);
  if (count.entries > limits.entries) return `more than ${limits.entries} entries`;
  if (count.integerListBytes <= limits.integerListBytes) return null;
  return `lists of integers of more than ${limits.integerListBytes} bytes`;
}

function walk(schema: DescMessage, reader: BinaryReader, end: number, count: Count): void {
  const fields = new Map(schema.fields.map((field) => [field.number, field]));
  while (reader.pos < end && count.entries <= limits.entries) {
    const [number, wireType] = reader.tag();
    const field = fields.get(number);
    count.entries++;
    if (field === undefined || wireType !== WireType.LengthDelimited) {
      reader.skip(wireType, number);
      continue;
    }
    enter(field, reader, count);
  }
}

function enter(field: DescField, reader: BinaryReader, count: Count): void {
  const length = reader.uint32();
  const end = reader.pos + length;
  if (end > reader.len)
    throw new RangeError(`a field of ${length} bytes where ${reader.len - reader.pos} are left`);
  if (field.message !== undefined) walk(field.message, reader, end, count);
  else if (isIntegerList(field)) count.integerListBytes += length;
  reader.pos = end;
}

function isIntegerList(field: DescField): boolean {
  if (field.fieldKind !== 'list' || field.listKind !== 'scalar') return false;
  return field.scalar === ScalarType.INT64 || field.scalar === ScalarType.INT32;
}
