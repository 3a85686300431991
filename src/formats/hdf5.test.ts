import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DataError } from '../errors.js';
import { openHdf5 } from './hdf5.js';
import { mutated } from '../../test/support/mutate.js';
import { randomFrom } from '../../test/support/samples.js';
import { memorySource, type ByteSource } from './source.js';

const fixtures = join(import.meta.dirname, 'fixtures');
const source = (name: string): ByteSource => memorySource(readFileSync(join(fixtures, name)), name);

describe('openHdf5', () => {
  it('reads arrays in groups, of all types, whole and by rows', async () => {
    const file = await openHdf5(source('arrays.h5'));
    expect([...file.arrays.keys()]).toEqual(['a/b/kernel:0', 'half', 'whole', 'words']);
    expect(file.arrays.get('a/b/kernel:0')!.read(1, 2)).toEqual({
      dtype: 'float32',
      shape: [1, 2],
      data: Float32Array.of(3, 4),
    });
    expect(file.arrays.get('half')!.read()).toEqual({
      dtype: 'float16',
      shape: [2],
      data: Float32Array.of(0.5, 1.5),
    });
    expect(file.arrays.get('whole')!.read()).toMatchObject({ dtype: 'int64', data: BigInt64Array.of(7n) });
    expect(file.arrays.get('words')!.dtype).toBeNull();
    expect(() => file.arrays.get('words')!.read()).toThrow(DataError);
    file.close();
  });

  it('reads whole files after damaged ones that broke the library off, and refuses those that were open', async () => {
    const readAll = async (own: ByteSource) => {
      const file = await openHdf5(own);
      const numbers = [...file.arrays.values()].filter(({ dtype }) => dtype !== null).map((array) => array.read());
      file.close();
      return numbers;
    };
    const right = await readAll(source('arrays.h5'));
    const whole = ['arrays.h5', '../../trajectory/fixtures/weights.h5', '../../trajectory/fixtures/weights-tensorflow.h5'].map((name) => readFileSync(join(fixtures, name)));
    const isBroken = async (own: ByteSource) =>
      readAll(own).then(() => false, (error: unknown) => ((error as Error).cause as Error).name === 'RuntimeError');
    const open = await openHdf5(source('arrays.h5'));
    // Each leaves something behind in the library's memory, until that is too much for it.
    let seed = 0;
    while (!(await isBroken(memorySource(mutated(whole[seed % 3]!, randomFrom(seed)), `${seed}.h5`)))) expect(++seed).toBeLessThan(20_000);
    expect(() => open.arrays.get('whole')!.read()).toThrow(`broke off while it read ${seed}.h5`);
    open.close();
    expect(await readAll(source('arrays.h5'))).toEqual(right);
    expect(await isBroken(memorySource(mutated(whole[seed % 3]!, randomFrom(seed)), 'again.h5'))).toBe(false);
  }); // prettier-ignore

  it('reads sources that are read piece by piece, and many files one after the other', async () => {
    const whole = source('arrays.h5');
    const slow: ByteSource = {
      name: whole.name,
      size: whole.size,
      read: (offset, length) => whole.read(offset, length),
      close: () => whole.close(),
    };
    for (let k = 0; k < 20; k++) {
      const file = await openHdf5(slow);
      expect(file.arrays.size).toBe(4);
      file.close();
    }
  });

  it.each([
    ['external-link.h5', /is an external link/],
    ['virtual.h5', /is a virtual data set/],
  ])('refuses %s, which reads other files', async (name, message) => {
    await expect(openHdf5(source(name))).rejects.toThrow(message);
  });

  it('cannot reach files of the machine through external storage', async () => {
    const file = await openHdf5(source('external-storage.h5'));
    expect(() => file.arrays.get('passwords')!.read()).toThrow(DataError);
    file.close();
  });

  const numbers = Float32Array.of(0.5, -1.5, 3, 1e-3, 2, 65280);
  // Numbers of h5py 3.7, rounded there.
  const half = Float32Array.of(0.5, -1.5, 3, 0.0010004043579101562, 2, 65280);
  const brain = Float32Array.of(0.5, -1.5, 3, 0.00099945068359375, 2, 65280);

  it('reads numbers whose bytes stand the other way round, and compressed ones', async () => {
    const file = await openHdf5(source('orders.h5'));
    const dataOf = (name: string) => file.arrays.get(name)!.read().data;
    expect(dataOf('>f2')).toEqual(half);
    expect(dataOf('>f4')).toEqual(numbers);
    expect(dataOf('>f8')).toEqual(Float64Array.from([...numbers.slice(0, 3), Math.fround(1e-3), 2, 65280]));
    expect(dataOf('>i4')).toEqual(Int32Array.of(1, -2, 2 ** 30));
    expect(dataOf('gzip')).toEqual(numbers);
    file.close();
  });

  it.each(['bfloat16.h5', 'bfloat16-latest.h5'])('reads %s as what it is, which HDF5 also calls a float of 2 bytes', async (name) => {
    const file = await openHdf5(source(name));
    expect(file.arrays.get('numbers')!.read()).toEqual({ dtype: 'bfloat16', shape: [3, 2], data: brain });
    expect(file.arrays.get('numbers')!.read(1, 2).data).toEqual(brain.slice(2, 4));
    file.close();
  }); // prettier-ignore

  it('refuses 16-bit floats of a file that has both kinds, and reads the others', async () => {
    const file = await openHdf5(source('both-halves.h5'));
    for (const name of ['brain', 'half'])
      expect(() => file.arrays.get(name)!.read()).toThrow(
        /neither float16 nor bfloat16, or of a file that has several kinds of them/,
      );
    expect(file.arrays.get('single')!.read().data).toEqual(numbers);
    file.close();
  });

  // h5py reads 0.5 as their first number; as one of IEEE's it would be 3.7e-9, 1.75 or 6e-8.
  it.each([
    ['float-bias.h5', /32-bit float that is no float32/],
    ['float-fields.h5', /32-bit float that is no float32/],
    ['float-order.h5', /32-bit float that is no float32/],
    ['float-double.h5', /64-bit float that is no float64/],
    ['float-named.h5', /32-bit float that is no float32/],
  ])('refuses %s, whose floats are of another form than IEEE 754', async (name, message) => {
    const file = await openHdf5(source(name));
    expect(file.arrays.get('numbers')!.dtype).toBeNull();
    expect(() => file.arrays.get('numbers')!.read()).toThrow(message);
    file.close();
  });

  it('finds no numbers where there are none', async () => {
    const file = await openHdf5(source('orders.h5'));
    expect(file.arrays.get('nothing')!.read()).toEqual({
      dtype: 'float32',
      shape: [0],
      data: new Float32Array(0),
    });
    file.close();
  });

  it('names a compression that it cannot undo', async () => {
    const file = await openHdf5(source('orders.h5'));
    expect(() => file.arrays.get('lzf')!.read()).toThrow(
      /lzf\): numbers compressed by lzf \(HDF5 filter 32000\)/,
    );
    file.close();
  });

  it('refuses claims far beyond what is stored', async () => {
    const file = await openHdf5(source('claims.h5'));
    expect(() => file.arrays.get('all_weights')!.read(0, 1)).toThrow(/claimed where \d+ are stored/);
    file.close();
  });

  it('refuses what is no HDF5', async () => {
    await expect(openHdf5(memorySource(new Uint8Array(100), 'f'))).rejects.toThrow(/not readable as HDF5/);
  });
});
