import { parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect, finish, segmentOf, smallManifest, temporaryFolder } from '../../../test/support/run-folder.js'; // prettier-ignore
import { UsageError } from '../../errors.js';
import type { ArrayReading } from '../../format/read-array.js';
import type { RunReader } from '../../format/reader.js';
import { createRunFolder, openRun } from '../../store/open.js';
import { parquetBytes } from './parquet.js';
import { quantityOf } from './quantity.js';

const T = 40;
const content = smallManifest(T);
const place = temporaryFolder();
let run: RunReader;

beforeAll(async () => {
  const writer = await createRunFolder(place.run, content);
  await finish(writer, content);
  await writer.close();
  run = await openRun(place.run);
});
afterAll(() => {
  place.remove();
});

/** The table that a quantity is written as, as another implementation reads it, and the number of pieces that it came in. */
async function written(array: ArrayReading) {
  const pieces = await collect(parquetBytes(array));
  const bytes = Buffer.concat(pieces);
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  return { table: await parquetReadObjects({ file }), pieces: pieces.length };
}

const allocation = (t: number) => [...segmentOf(content, t).rows[0]!.allocation];

describe('a Parquet table', () => {
  it('has a line for each number, in single precision as stored', async () => {
    const { table, pieces } = await written(quantityOf(run, { what: 'allocation' }));
    const size = allocation(0).length;
    expect(pieces).toBe(Math.ceil(T / Math.floor(2 ** 17 / size)) + 1);
    expect(table).toHaveLength(T * size);
    for (const t of [0, 30, T - 1]) {
      const lines = table.slice(t * size, (t + 1) * size);
      expect(lines.map(({ value }) => value as number)).toEqual(allocation(t));
      expect(lines[4201]).toMatchObject({ segment: t, parameter: 4201, tensor: 'fc1.bias' });
    }
  });

  it('names parts, layers and what has no further axis, in double precision', async () => {
    const parts = await written(quantityOf(run, { what: 'part_layer_sums', objective: 'mine' }));
    const expected = segmentOf(content, 3).rows[1]!.part_layer_sums as ArrayLike<number>;
    expect(parts.table.filter(({ segment }) => segment === 3)).toEqual(
      ['even', 'odd'].flatMap((part, p) =>
        ['fc1', 'fc2'].map((layer, l) => ({ segment: 3, part, layer, value: expected[2 * p + l] })),
      ),
    );
    const { table } = await written(quantityOf(run, { what: 'loss' }));
    expect(table).toHaveLength(T + 1);
    expect(table[2]).toEqual({ row: 2, value: segmentOf(content, 2).rows[0]!.loss[0] });
    const counts = await written(quantityOf(run, { what: 'zero' }));
    expect(counts.table.slice(0, 2).map(({ layer }) => layer as string)).toEqual(['fc1', 'fc2']);
  });
});

describe('a recording whose rows are some iterations apart', () => {
  const iteration = Array.from({ length: T + 1 }, (_, row) => 3 * row);
  const apart = (array: ArrayReading, rows: number): ArrayReading => ({ ...array, iteration: iteration.slice(array.from, array.from + rows) }); // prettier-ignore

  it('has its iterations as columns', async () => {
    const { table } = await written(apart(quantityOf(run, { what: 'layer_sums', segments: { from: 10, to: 12 } }), 3)); // prettier-ignore
    expect(table[1]).toMatchObject({ segment: 10, from_iteration: 30, to_iteration: 33, layer: 'fc2' });
    expect(table[2]).toMatchObject({ segment: 11, from_iteration: 33, to_iteration: 36, layer: 'fc1' });
    const loss = await written(apart(quantityOf(run, { what: 'loss' }), T + 1));
    expect(loss.table[5]).toEqual({ row: 5, iteration: 15, value: segmentOf(content, 5).rows[0]!.loss[0] });
  });

  it('can be asked for them alone, as an array', async () => {
    const asked = { what: 'iteration', segments: { from: 10, to: 12 } };
    expect(await collect(quantityOf(run, asked).rows())).toEqual(
      [10, 11, 12].map((row) => Int32Array.of(row)),
    );
  });
});

describe('a range of segments', () => {
  const rows = (what: string, from: number, to: number) => quantityOf(run, { what, segments: { from, to } });

  it('is half-open; of what is kept by row of theta both ends are written', async () => {
    const sums = rows('allocation', 10, 12);
    expect([sums.from, sums.shape[0]]).toEqual([10, 2]);
    const { table } = await written(sums);
    expect(new Set(table.map(({ segment }) => segment as number))).toEqual(new Set([10, 11]));
    expect(table[0]!['value']).toBe(allocation(10)[0]);
    const loss = rows('loss', 10, 12);
    expect([loss.from, loss.shape[0]]).toEqual([10, 3]);
    expect(rows('order', 10, 12).shape[0]).toBe(2);
  });

  it('is refused outside of the run, and of what has no segments', () => {
    expect(() => rows('allocation', 30, T + 1)).toThrow(UsageError);
    expect(() => rows('allocation', 30, T + 1)).toThrow('from 0 to before 40');
  });
});
