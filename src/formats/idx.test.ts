import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError } from '../errors.js';
import { readIdx } from './idx.js';

function idx(code: number, shape: readonly number[], body: readonly number[]): Uint8Array {
  const extents = shape.flatMap((extent) => [
    extent >>> 24,
    (extent >> 16) & 255,
    (extent >> 8) & 255,
    extent & 255,
  ]);
  return Uint8Array.from([0, 0, code, shape.length, ...extents, ...body]);
}

describe('readIdx', () => {
  it('reads bytes with their shape', () => {
    const array = readIdx(idx(0x08, [2, 3], [1, 2, 3, 4, 5, 6]), 'f');
    expect(array).toEqual({ dtype: 'uint8', shape: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 6) });
  });

  it('reads big-endian elements from an unaligned view', () => {
    const float = new Uint8Array(8);
    new DataView(float.buffer).setFloat64(0, -1.25);
    const file = idx(0x0e, [1], [...float]);
    const padded = new Uint8Array(file.length + 3);
    padded.set(file, 3);
    expect(readIdx(padded.subarray(3), 'f')).toEqual({
      dtype: 'float64',
      shape: [1],
      data: Float64Array.of(-1.25),
    });
    expect(readIdx(idx(0x0c, [2], [0, 0, 1, 2, 255, 255, 255, 254]), 'f').data).toEqual(
      Int32Array.of(258, -2),
    );
  });

  it.each([
    ['an empty file', new Uint8Array(0), /0 bytes/],
    ['a gzip file', Uint8Array.of(0x1f, 0x8b, 8, 0, 0), /0x1f8b0800/],
    ['an unknown type', idx(0x0a, [1], [1]), /magic number/],
    ['rank 0', idx(0x08, [], []), /magic number/],
    ['a cut header', idx(0x08, [2, 3], []).subarray(0, 9), /header of 12 bytes/],
    ['a cut body', idx(0x08, [2, 3], [1, 2, 3]), /15 bytes \(truncated\)[^]*18 bytes for shape \[2, 3\]/],
    ['trailing bytes', idx(0x08, [2], [1, 2, 3]), /trailing bytes/],
    ['a hostile size', idx(0x0e, [0xffffffff, 0xffffffff, 0xffffffff], []), /at most/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => readIdx(bytes, 'f')).toThrow(DataError);
    expect(() => readIdx(bytes, 'f')).toThrow(message);
  });

  it('either reads or refuses any bytes', () => {
    const header = fc.tuple(fc.constantFrom(8, 9, 11, 12, 13, 14), fc.array(fc.nat(4), { maxLength: 3 }));
    const file = fc
      .tuple(header, fc.uint8Array({ maxLength: 64 }), fc.nat(20), fc.nat(255))
      .map(([[code, shape], body, at, byte]) => {
        const bytes = idx(code, shape, [...body]);
        bytes[at % bytes.length] = byte;
        return bytes;
      });
    fc.assert(
      fc.property(file, (bytes) => {
        try {
          const { shape, data } = readIdx(bytes, 'f');
          expect(data.length).toBe(shape.reduce((product, extent) => product * extent, 1));
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
