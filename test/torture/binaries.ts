import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readOnnx } from '../../src/onnx/index.js';
import { readUserDataset } from '../../src/data/user/read.js';
import { endure } from '../support/endurance.js';
import { mutated } from '../support/mutate.js';
import { modelOf, node, ramp } from '../support/onnx-model.js';
import { npyFile, npzFile } from '../support/npz.js';
import { openTrajectory } from '../support/recording.js';
import type { Random } from '../support/samples.js';
import type { Outcome } from './outcome.js';

const root = resolve(import.meta.dirname, '../..');
const folders = ['src/trajectory/fixtures', 'src/formats/fixtures'];
const readable = /\.(npz|npy|h5|safetensors|onnx|pt|pth)$/;
/** The model of the fixtures. */
const layout = [
  { name: 'a.weight', shape: [3, 2] },
  { name: 'a.bias', shape: [3] },
  { name: 'b.weight', shape: [2, 3, 1, 2] },
];

function fixtures(): { readonly name: string; readonly bytes: Uint8Array }[] {
  const found = folders.flatMap((folder) => {
    const place = join(root, folder);
    const names = namesIn(place).filter((name) => readable.test(name));
    return names.map((name) => ({ name, bytes: readFileSync(join(place, name)) }));
  });
  const x = { shape: [6, 2], data: new Float32Array(12) };
  const y = { shape: [6], data: Int32Array.of(0, 1, 2, 0, 1, 2) };
  return [
    ...found,
    { name: 'data.npz', bytes: npzFile({ x, y }) },
    {
      name: 'model.onnx',
      bytes: modelOf(['batch', 4], {
        initializers: [ramp('w', [4, 1])],
        nodes: [node('MatMul', ['input', 'w'], ['y'])],
      }),
    },
    { name: 'x.npy', bytes: npyFile(x.data, x.shape) },
  ];
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

async function read(path: string): Promise<void> {
  if (path.endsWith('.onnx')) {
    readOnnx(readFileSync(path), {});
    return;
  }
  if (path.endsWith('data.npz')) {
    await readUserDataset(path);
    return;
  }
  const trajectory = await openTrajectory(path, layout);
  try {
    for (let row = 0; row < Math.min(trajectory.rows, 10); row++) await trajectory.row(row);
  } finally {
    await trajectory.close();
  }
}

/** Damaged models, trajectories and data: each is read or refused, in memory that does not grow. */
export async function malformedFiles(count: number, random: Random, folder: string): Promise<Outcome> {
  const originals = fixtures();
  const { read: good, refused, crashes, growth } = await endure(count, Math.floor(1e6 * random()), async (own, run) => {
    const { name, bytes } = originals[run % originals.length]!;
    const path = join(folder, name);
    writeFileSync(path, mutated(bytes, own));
    await read(path);
  }); // prettier-ignore
  return {
    what: 'malformed binary files read or refused',
    tried: count,
    failures: [
      ...crashes,
      ...new Array<string>(count - good - refused - crashes.length).fill('crashed, too'),
    ],
    note: `${refused} refused; grew by ${(growth / 2 ** 20).toFixed(0)} MiB`,
  };
}
