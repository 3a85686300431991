import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { openTrajectory } from '../support/recording.js';
import { readUserDataset } from '../../src/data/user/read.js';
import { temporaryFolder } from '../support/cli.js';
import { endure, memoryBound } from '../support/endurance.js';
import { mutated, mutatedJson } from '../support/mutate.js';
import { npyFile, npzFile } from '../support/npz.js';
import { encodeSafetensors } from '../support/safetensors.js';
import type { Random } from '../support/samples.js';

const folder = temporaryFolder();
const fixtures = resolve(import.meta.dirname, '../../src/trajectory/fixtures');
const fixture = (name: string) => readFileSync(join(fixtures, name));
/** The model of the fixtures. */
const layout = [
  { name: 'a.weight', shape: [3, 2] },
  { name: 'a.bias', shape: [3] },
  { name: 'b.weight', shape: [2, 3, 1, 2] },
];
const theta = { shape: [2, 21], data: new Float32Array(42) };
const iteration = { shape: [2], data: BigInt64Array.of(1n, 2n) };

async function readTrajectory(path: string): Promise<void> {
  const trajectory = await openTrajectory(path, layout);
  try {
    for (let t = 0; t < trajectory.rows; t++) expect(await trajectory.row(t)).toHaveLength(21);
  } finally {
    await trajectory.close();
  }
}

/** A file of a trajectory or data set, how many damaged copies are read, and how. */
interface Kind {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly runs: number;
  readonly file: string;
  readonly read: (path: string) => Promise<unknown>;
  readonly damage: (bytes: Uint8Array, random: Random) => Uint8Array;
}

function trajectory(name: string, runs: number, bytes: Uint8Array, damage = mutated): Kind {
  return { name, runs, bytes, file: name, read: readTrajectory, damage };
}

function data(
  file: string,
  runs: number,
  bytes: Uint8Array,
  pathOf = (path: string) => path,
  damage = mutated,
): Kind {
  return { name: file, runs, bytes, file, read: (path) => readUserDataset(pathOf(path)), damage };
}

function checkpoint(): Uint8Array {
  const tensors = layout.map(
    ({ name, shape }) => [name, { shape, data: new Float32Array(shape.reduce((a, b) => a * b)) }] as const,
  );
  return encodeSafetensors(Object.fromEntries(tensors));
}

/** Damage behind a right checksum. */
function mutatedInside(_: Uint8Array, random: Random): Uint8Array {
  return zipSync(
    { 'x.npy': mutated(npyFile(x.data, x.shape), random), 'y.npy': npyFile(y.data, y.shape) },
    { level: 0 },
  );
}

/** The superblock refuses nearly every change of itself, so it is spared. */
function mutatedHdf5(bytes: Uint8Array, random: Random): Uint8Array {
  const start = 48;
  return Buffer.concat([bytes.subarray(0, start), mutated(bytes.subarray(start), random)]);
}

const x = { shape: [6, 2, 3], data: Float32Array.from({ length: 36 }, (_, i) => i) };
const y = { shape: [6], data: BigInt64Array.of(0n, 1n, 2n, 0n, 1n, 2n) };
const pixels = Uint8Array.from([
  0,
  0,
  8,
  3,
  0,
  0,
  0,
  6,
  0,
  0,
  0,
  2,
  0,
  0,
  0,
  3,
  ...new Array<number>(36).fill(7),
]);
const labels = Uint8Array.from([0, 0, 8, 1, 0, 0, 0, 6, 0, 1, 2, 0, 1, 2]);
writeFileSync(join(folder, 'labels-idx1'), labels);
writeFileSync(join(folder, 'y.npy'), npyFile(y.data, y.shape));
mkdirSync(join(folder, 'checkpoints'));
writeFileSync(join(folder, 'checkpoints', 'step-0.safetensors'), checkpoint());

/** Zarr groups of x and y, version 2 and 3; returns the array metadata of x. */
function zarrGroup(version: 2 | 3): Uint8Array {
  const arrays = { x: { ...x, type: 'float32', descr: '<f4' }, y: { ...y, type: 'int64', descr: '<i8' } };
  for (const [name, { shape, data: numbers, type, descr }] of Object.entries(arrays)) {
    const path = join(folder, `v${version}.zarr`, name);
    const chunk = join(
      path,
      version === 2 ? shape.map(() => 0).join('.') : `c/${shape.map(() => 0).join('/')}`,
    );
    mkdirSync(dirname(chunk), { recursive: true });
    writeFileSync(chunk, new Uint8Array(numbers.buffer));
    const metadata =
      version === 2
        ? {
            zarr_format: 2,
            shape,
            chunks: shape,
            dtype: descr,
            compressor: null,
            fill_value: 0,
            order: 'C',
            filters: null,
          }
        : {
            zarr_format: 3,
            node_type: 'array',
            shape,
            data_type: type,
            chunk_grid: { name: 'regular', configuration: { chunk_shape: shape } },
            chunk_key_encoding: { name: 'default', configuration: { separator: '/' } },
            codecs: [{ name: 'bytes', configuration: { endian: 'little' } }],
            fill_value: 0,
            attributes: {},
          };
    writeFileSync(join(path, version === 2 ? '.zarray' : 'zarr.json'), JSON.stringify(metadata));
  }
  const group = version === 2 ? { zarr_format: 2 } : { zarr_format: 3, node_type: 'group', attributes: {} };
  writeFileSync(
    join(folder, `v${version}.zarr`, version === 2 ? '.zgroup' : 'zarr.json'),
    JSON.stringify(group),
  );
  return readFileSync(join(folder, `v${version}.zarr`, 'x', version === 2 ? '.zarray' : 'zarr.json'));
}

const group = (path: string) => dirname(dirname(path));
const kinds: readonly Kind[] = [
  trajectory('theta.safetensors', 2500, encodeSafetensors({ theta, iteration })),
  {
    ...trajectory('checkpoints/step-1.safetensors', 1500, checkpoint()),
    read: (path) => readTrajectory(dirname(path)),
  },
  trajectory('theta.npy', 1500, fixture('theta.npy')),
  trajectory('theta.npz', 1500, fixture('theta.npz')),
  trajectory('tensors.npz', 1500, fixture('tensors.npz')),
  trajectory('weights.h5', 1000, fixture('weights.h5'), mutatedHdf5),
  data('data.npz', 1000, npzFile({ x, y })),
  data('inside.npz', 1500, npzFile({ x, y }), undefined, mutatedInside),
  data('x.npy', 1000, npyFile(x.data, x.shape), (path) => `${path},${join(folder, 'y.npy')}`),
  data('images-idx3', 2000, pixels, (path) => `${path},${join(folder, 'labels-idx1')}`),
  data('v2.zarr/x/.zarray', 500, zarrGroup(2), group, mutatedJson),
  data('v3.zarr/x/zarr.json', 500, zarrGroup(3), group, mutatedJson),
];

describe('damaged trajectories and data', () => {
  it.each(kinds)('$name: $runs copies are read or refused, in little memory', async (kind) => {
    const path = join(folder, kind.file);
    writeFileSync(path, kind.bytes);
    await kind.read(path);
    const result = await endure(kind.runs, kind.bytes.length, async (random) => {
      // Each its own file: the HDF5 library holds on to files that it could not read.
      rmSync(path);
      writeFileSync(path, kind.damage(kind.bytes, random));
      await kind.read(path);
    });
    expect(result.crashes).toEqual([]);
    expect(result.read).toBeGreaterThan(0);
    expect(result.refused).toBeGreaterThan(kind.runs / 4);
    expect(result.growth).toBeLessThan(memoryBound);
  });
}); // prettier-ignore
