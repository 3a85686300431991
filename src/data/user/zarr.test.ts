import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readUserDataset } from './read.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lossledger-'));
});
afterAll(() => rm(folder, { recursive: true }));
let made = 0;

interface ZarrKind {
  readonly order?: string;
  readonly transpose?: readonly number[];
  readonly half?: boolean;
  readonly twice?: boolean;
}

/** Bits of float16 numbers that are small whole ones. */
const halfBits = (value: number) => {
  const exponent = Math.floor(Math.log2(value));
  return ((exponent + 15) << 10) | ((value / 2 ** exponent - 1) * 1024);
};

/** A Zarr group with x [2, 3] in one chunk of these numbers as they lie on disk, and y. */
async function zarr(
  { order, transpose, half = false, twice = false }: ZarrKind,
  stored: readonly number[],
): Promise<string> {
  const path = join(folder, `zarr-${made++}`);
  const version = order === undefined ? 3 : 2;
  const put = async (
    name: string,
    shape: number[],
    type: string,
    descr: string,
    bytes: Uint8Array,
    codecs: object[],
  ) => {
    const metadata =
      version === 2
        ? { zarr_format: 2, shape, chunks: shape, dtype: descr, compressor: null, fill_value: 0, order, filters: null }
        : {
            zarr_format: 3, node_type: 'array', shape, data_type: type, fill_value: 0, attributes: {},
            chunk_grid: { name: 'regular', configuration: { chunk_shape: shape } },
            chunk_key_encoding: { name: 'default', configuration: { separator: '/' } },
            codecs: [...codecs, { name: 'bytes', configuration: { endian: 'little' } }],
          }; // prettier-ignore
    const zeros = shape.map(() => '0');
    const chunk = version === 2 ? join(path, name, zeros.join('.')) : join(path, name, 'c', ...zeros);
    await mkdir(join(chunk, '..'), { recursive: true });
    await writeFile(join(path, name, version === 2 ? '.zarray' : 'zarr.json'), JSON.stringify(metadata));
    await writeFile(chunk, bytes);
  };
  const turn = { name: 'transpose', configuration: { order: transpose } };
  const numbers = half ? Uint16Array.from(stored, halfBits) : Float32Array.from(stored);
  const codecs = transpose === undefined ? [] : twice ? [turn, turn] : [turn];
  await put(
    'x',
    [2, 3],
    half ? 'float16' : 'float32',
    half ? '<f2' : '<f4',
    new Uint8Array(numbers.buffer),
    codecs,
  );
  await put('y', [2], 'int64', '<i8', new Uint8Array(BigInt64Array.of(1n, 0n).buffer), []);
  await writeFile(
    join(path, version === 2 ? '.zgroup' : 'zarr.json'),
    JSON.stringify(
      version === 2 ? { zarr_format: 2 } : { zarr_format: 3, node_type: 'group', attributes: {} },
    ),
  );
  return path;
}

describe('Zarr arrays', () => {
  it.each([
    ['version 2 in column-major order', { order: 'F' }, [1, 4, 2, 5, 3, 6]],
    ['version 3 with a transpose codec', { transpose: [1, 0] }, [1, 4, 2, 5, 3, 6]],
    ['version 3 of float16 with a transpose codec', { transpose: [1, 0], half: true }, [1, 4, 2, 5, 3, 6]],
    ['version 2 of float16', { order: 'C', half: true }, [1, 2, 3, 4, 5, 6]],
  ])('reads a Zarr array of %s as the same numbers', async (_, kind: ZarrKind, stored) => {
    const { pool } = await readUserDataset(await zarr(kind, stored));
    expect([pool.shape, [...pool.inputs]]).toEqual([[3], [1, 2, 3, 4, 5, 6]]);
  });

  it.each([3, 2])(
    'refuses numbers that attributes say are packed, which none but xarray would unpack: version %d',
    async (version) => {
      const path = await zarr(version === 2 ? { order: 'C' } : {}, [1, 2, 3, 4, 5, 6]);
      const declare = async (attributes: object) => {
        const place = join(path, 'x', version === 2 ? '.zattrs' : 'zarr.json');
        const metadata = version === 2 ? {} : (JSON.parse(await readFile(place, 'utf8')) as object);
        await writeFile(place, JSON.stringify(version === 2 ? attributes : { ...metadata, attributes }));
      };
      await declare({ scale_factor: 1, add_offset: 0, units: 'K' });
      expect([...(await readUserDataset(path)).pool.inputs]).toEqual([1, 2, 3, 4, 5, 6]);
      await declare({ scale_factor: 0.1, add_offset: 273.15 });
      await expect(readUserDataset(path)).rejects.toThrow(
        /x[^]*packed numbers \(attributes scale_factor 0.1, add_offset 273.15\)/,
      );
    },
  );

  it('refuses Zarr codecs in an order that cannot be followed', async () => {
    const path = await zarr({ transpose: [1, 0], twice: true }, [1, 2, 3, 4, 5, 6]);
    await expect(readUserDataset(path)).rejects.toThrow(/codecs transpose, transpose, bytes/);
  });
});
