import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filesOf, finish, orderRow, segmentOf, smallManifest, temporaryFolder, thetaOf } from '../../test/support/run-folder.js'; // prettier-ignore
import { createRunFolder } from '../store/open.js';

/* Reads the arrays by the Zarr v3 specification, without the library that wrote them. */

interface ArrayDocument {
  zarr_format: 3;
  node_type: 'array' | 'group';
  shape: number[];
  data_type: 'float32' | 'float64' | 'int32' | 'uint8';
  chunk_grid: { name: string; configuration: { chunk_shape: number[] } };
  chunk_key_encoding: { name: string; configuration: { separator: string } };
  codecs: { name: string; configuration: Record<string, unknown> }[];
  fill_value: number | 'NaN';
  dimension_names: string[];
  attributes: Record<string, string>;
}

const T = 6;
const plain = smallManifest(T);
const content = { ...plain, definition: { ...plain.definition, unit: 'squared units' } };
const K = content.parameters.reduce((total, { size }) => total + size, 0);
const place = temporaryFolder();
const root = join(place.run, 'ledger.zarr');

beforeAll(async () => {
  const run = await createRunFolder(place.run, content);
  await finish(run, content);
  await run.close();
});
afterAll(() => {
  place.remove();
});

const readers = {
  float32: 'readFloatLE',
  float64: 'readDoubleLE',
  int32: 'readInt32LE',
  uint8: 'readUInt8',
} as const;
const sizes = { float32: 4, float64: 8, int32: 4, uint8: 1 };

function documentOf(name: string): ArrayDocument {
  return JSON.parse(readFileSync(join(root, name, 'zarr.json'), 'utf8')) as ArrayDocument;
}

function chunkOf(name: string, document: ArrayDocument, index: number): number[] {
  const { separator } = document.chunk_key_encoding.configuration;
  const key = ['c', index, ...document.shape.slice(1).map(() => 0)].join(separator);
  const bytes: Buffer = readFileSync(join(root, name, key));
  expect(document.codecs).toEqual([{ name: 'bytes', configuration: { endian: 'little' } }]);
  const size = sizes[document.data_type];
  return Array.from({ length: bytes.length / size }, (_, k) => bytes[readers[document.data_type]](k * size));
}

/** The whole array, row-major, without the padding of its last chunk. */
function arrayOf(name: string): number[] {
  const document = documentOf(name);
  expect(document).toMatchObject({ zarr_format: 3, node_type: 'array', chunk_grid: { name: 'regular' }, chunk_key_encoding: { name: 'default' } }); // prettier-ignore
  const chunkRows = document.chunk_grid.configuration.chunk_shape[0]!;
  const chunks = Math.ceil(document.shape[0]! / chunkRows);
  const numbers: number[] = [];
  for (let index = 0; index < chunks; index++) numbers.push(...chunkOf(name, document, index));
  return numbers.slice(
    0,
    document.shape.reduce((product, extent) => product * extent, 1),
  );
}

const segments = Array.from({ length: T }, (_, t) => segmentOf(content, t));

describe('ledger.zarr', () => {
  it('holds θ, the order and the allocations', () => {
    const rows = Array.from({ length: T + 1 }, (_, row) => [...thetaOf(row, K)]);
    expect(arrayOf('theta')).toEqual(rows.flat());
    const order = Array.from({ length: T }, (_, iteration) => [...orderRow(iteration, 5)]);
    expect(arrayOf('order')).toEqual(order.flat());
    for (const [o, { name }] of content.objectives.entries()) {
      expect(arrayOf(`allocation/${name}`)).toEqual(segments.flatMap(({ rows }) => [...rows[o]!.allocation]));
      expect(arrayOf(`neuron_sums/${name}`)).toEqual(
        segments.flatMap(({ rows }) => [...rows[o]!.neuron_sums]),
      );
    }
  });

  it('holds the small columns', () => {
    for (const [o, { name }] of content.objectives.entries()) {
      const rows = segments.map((segment) => segment.rows[o]!);
      const losses = [...rows.map(({ loss }) => loss[0]), rows.at(-1)!.loss[1]];
      expect(arrayOf(`loss/${name}`)).toEqual(losses);
      expect(arrayOf(`total/${name}`)).toEqual(rows.map(({ total }) => total));
      expect(arrayOf(`layer_sums/${name}`)).toEqual(rows.flatMap((row) => [...row.layer_sums]));
      expect(arrayOf(`residual/${name}`)).toEqual(rows.map(({ residual }) => residual));
      expect(arrayOf(`left_residual/${name}`)).toEqual(rows.map((row) => row.left_residual));
      for (const sign of ['helping', 'hurting', 'zero'] as const) {
        expect(arrayOf(`${sign}/${name}`)).toEqual(rows.flatMap((row) => [...row[sign]]));
      }
    }
    expect(arrayOf('subintervals')).toEqual(segments.map(({ rows }) => rows[0]!.subintervals));
    expect(arrayOf('evaluations')).toEqual(segments.map(({ rows }) => rows[0]!.evaluations));
  });

  it('names dimensions, units and meaning of every array, and every folder is a node', () => {
    const names = [...filesOf(root).keys()]
      .filter((path) => path.endsWith('/zarr.json'))
      .map((path) => path.slice(0, -10));
    const arrays = names.filter((name) => documentOf(name).node_type === 'array');
    expect(arrays.length).toBe(5 + 2 * (12 + 3 + 3 * 4 + 5) + 4);
    for (const name of arrays) {
      const document = documentOf(name);
      expect(document.dimension_names).toHaveLength(document.shape.length);
      const counted =
        /^(theta|order|subintervals|evaluations|motion_norm|(gradient_sign|sign_changes|(entity_)?(helping|hurting|zero))\/.*)$/.test(
          name,
        );
      expect(document.attributes['unit'], name).toBe(counted ? '1' : 'squared units');
      expect(document.attributes['description']).toMatch(/\w/);
      expect(document.fill_value).toBe(['int32', 'uint8'].includes(document.data_type) ? 0 : 'NaN');
      const parents = name
        .split('/')
        .slice(0, -1)
        .map((_, depth, parts) => parts.slice(0, depth + 1).join('/'));
      for (const parent of parents)
        expect(documentOf(parent)).toMatchObject({ zarr_format: 3, node_type: 'group' });
    }
    expect(documentOf('.')).toMatchObject({
      node_type: 'group',
      attributes: { format: 'lossledger', layers: content.layers },
    });
  });
});
