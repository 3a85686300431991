import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect, finish, orderRow, segmentOf, smallManifest, temporaryFolder, thetaOf } from '../../test/support/run-folder.js'; // prettier-ignore
import { StoreError, UsageError } from '../errors.js';
import { createRunFolder, openRun } from '../store/open.js';
import { csvLines, jsonText, npyBytes, npyHeader } from './export.js';
import { columnsOf } from './read-array.js';
import type { RunReader } from './reader.js';

const T = 6;
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

describe('array', () => {
  it('reads any array, row by row', async () => {
    for (const name of run.arrayNames) {
      const array = run.array(name);
      const rows = await collect(array.rows());
      expect(rows).toHaveLength(array.shape[0]!);
      const width = array.shape.slice(1).reduce((product, extent) => product * extent, 1);
      for (const row of rows) expect(row).toHaveLength(width);
      expect(columnsOf(array)).toHaveLength(width);
    }
  });

  it('reads a range of rows', async () => {
    const theta = run.array('theta', { from: 2, to: 4 });
    expect(await collect(theta.rows())).toEqual([thetaOf(2, run.layout.size), thetaOf(3, run.layout.size)]);
    const order = run.array('order', { from: 5 });
    expect(await collect(order.rows())).toEqual([orderRow(5, 5)]);
    const sums = run.array('layer_sums/mine', { from: 1, to: 2 });
    expect(await collect(sums.rows())).toEqual([segmentOf(content, 1).rows[1]!.layer_sums]);
  });

  it('names the columns', () => {
    const columns = (name: string) => columnsOf(run.array(name));
    expect(columns('theta').slice(4199, 4202)).toEqual(['fc1.weight[4199]', 'fc1.bias[0]', 'fc1.bias[1]']);
    expect(columns('neuron_sums/train')).toEqual(['fc1[0]', 'fc1[1]', 'fc1[2]', 'fc2[0]', 'fc2[1]']);
    expect(columns('zero/train')).toEqual(['fc1', 'fc2']);
    expect(columns('loss/train')).toEqual(['loss/train']);
    expect(columns('part_loss/mine')).toEqual(['even', 'odd']);
  });

  it('rejects unknown names and rows that are not stored', () => {
    expect(() => run.array('loss/test')).toThrow(StoreError);
    expect(() => run.array('loss/test')).toThrow(/one of loss\/train, loss\/mine/);
    for (const range of [{ from: -1 }, { from: 3, to: 2 }, { to: T + 2 }, { from: 0.5 }]) {
      expect(() => run.array('theta', range)).toThrow(UsageError);
    }
  });
});

describe('npy', () => {
  it('has the header of the specification, 64 bytes a line', () => {
    for (const shape of [[7], [3, 5], [880, 1371658]]) {
      const header = Buffer.from(npyHeader('float32', shape));
      expect(header.subarray(0, 8).toString('latin1')).toBe('\x93NUMPY\x01\x00');
      expect(header.length % 64).toBe(0);
      expect(header.readUInt16LE(8)).toBe(header.length - 10);
      const literal = header.subarray(10).toString('latin1');
      expect(literal).toMatch(/^\{'descr': '<f4', 'fortran_order': False, 'shape': \([\d, ]+\), \} *\n$/);
      expect(literal).toContain(shape.length === 1 ? '(7,)' : `(${shape.join(', ')})`);
    }
  });

  it('holds the rows', async () => {
    const array = run.array('allocation/train');
    const bytes = Buffer.concat(await collect(npyBytes(array)));
    const data = bytes.subarray(npyHeader(array.dtype, array.shape).length);
    const expected = Array.from({ length: T }, (_, t) => [
      ...segmentOf(content, t).rows[0]!.allocation,
    ]).flat();
    expect(Array.from({ length: data.length / 4 }, (_, k) => data.readFloatLE(4 * k))).toEqual(expected);
  });
});

describe('text', () => {
  it('as CSV gives back every digit', async () => {
    const lines = (await collect(csvLines(run.array('layer_sums/train', { from: 2 })))).map((line) =>
      line.trim(),
    );
    expect(lines[0]).toBe('segment,fc1,fc2');
    expect(lines[1]!.split(',').map(Number)).toEqual([2, ...segmentOf(content, 2).rows[0]!.layer_sums]);
    expect(lines).toHaveLength(1 + T - 2);
  });

  it('as JSON is one document', async () => {
    const text = (await collect(jsonText(run.array('loss/train')))).join('');
    const document = JSON.parse(text) as { name: string; unit: string; rows: number[][] };
    expect(document).toMatchObject({
      name: 'loss/train',
      unit: 'nats',
      columns: ['loss/train'],
      shape: [T + 1],
    });
    expect(document.rows.slice(0, T).flat()).toEqual(
      Array.from({ length: T }, (_, t) => segmentOf(content, t).rows[0]!.loss[0]),
    );
  });
});

describe('a recording whose rows are some iterations apart', () => {
  const iteration = [0, 1, 2, 4, 8, 16, 40];
  const recorded = temporaryFolder();
  let apart: RunReader;

  beforeAll(async () => {
    const own = { ...content, trajectory: { ...content.trajectory, iteration } };
    const writer = await createRunFolder(recorded.run, own);
    await finish(writer, own);
    await writer.close();
    apart = await openRun(recorded.run);
  });
  afterAll(() => {
    recorded.remove();
  });

  it('says at which iterations segments begin and end, and rows stand', async () => {
    const places = async (name: string, range = {}) => {
      const lines = await collect(csvLines(apart.array(name, range)));
      return lines.map((line) => line.trim().split(',').slice(0, -1).join());
    };
    expect(await places('total/train', { from: 3, to: 5 })).toEqual(['segment,from_iteration,to_iteration', '3,4,8', '4,8,16']);
    expect(await places('loss/train', { from: 5 })).toEqual(['row,iteration', '5,16', '6,40']);
    const text = (await collect(jsonText(apart.array('total/train', { from: 3, to: 5 })))).join('');
    expect(JSON.parse(text)).toMatchObject({ from: 3, from_iteration: [4, 8], to_iteration: [8, 16] });
  }); // prettier-ignore
});

describe('a name that a spreadsheet would compute', () => {
  it.each([
    ['=HYPERLINK("http://x")', `"'=HYPERLINK(""http://x"")"`],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@sum', "'@sum"],
    ['fc1=2', 'fc1=2'],
  ])('%s stays text', async (name, cell) => {
    const named = { ...run.array('zero/train', { from: 0, to: 0 }), axes: () => [[name]] };
    expect(await collect(csvLines(named))).toEqual([`segment,${cell}\n`]);
  });
});
