import { describe, expect, it } from 'vitest';
import { readSafetensors } from './safetensors.js';
import { memorySource } from './source.js';

/** A file of a header as text and as many bytes. */
function opened(header: string, bytes: number) {
  const text = new TextEncoder().encode(header);
  const file = new Uint8Array(8 + text.length + bytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  return readSafetensors(memorySource(file, 'f'));
}

const entry = (name: string, from: number, to: number): string =>
  `"${name}":{"dtype":"F32","shape":[${(to - from) / 4}],"data_offsets":[${from},${to}]}`;

describe('readSafetensors', () => {
  it('reads tensors in any order, empty ones and metadata', async () => {
    const names = `{"__metadata__":{"format":"pt"},${entry('b', 4, 12)},${entry('a', 0, 4)},${entry('none', 4, 4)}}`;
    expect([...(await opened(names, 12)).keys()]).toEqual(['b', 'a', 'none']);
  });

  // The library safetensors 0.8 refuses all of these as well.
  it.each([
    ['two tensors of one name', `{${entry('a', 0, 4)},${entry('a', 4, 8)}}`, 8, /4 bytes before a that are of no tensor, or of another of the same name/],
    ['a hole', `{${entry('a', 0, 4)},${entry('b', 8, 12)}}`, 12, /4 bytes before b/],
    ['tensors that overlap', `{${entry('a', 0, 8)},${entry('b', 4, 12)}}`, 12, /b, whose numbers begin inside/],
    ['bytes of no tensor at the end', `{${entry('a', 0, 4)}}`, 8, /4 bytes behind the last tensor/],
  ])('refuses %s', async (_, header, bytes, message) => {
    await expect(opened(header, bytes)).rejects.toThrow(message);
  }); // prettier-ignore
});
