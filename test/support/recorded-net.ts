import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sizeOf } from '../../src/formats/array.js';
import type { RecordingOptions } from '../../src/trajectory/types.js';
import { npzFile } from './npz.js';
import { type KnownTensor, openTrajectory } from './recording.js';
import { temporaryFolder } from './temporary-folder.js';

/** Where a new file of this ending may be written. */
export const newPath = (ending: string): string => join(temporaryFolder(), `recording.${ending}`);

/** Numbers that tell tensors, rows and places apart. */
export const numbers = (
  tensor: number,
  row: number,
  size: number,
  turned = false,
  columns = 1,
): Float32Array => {
  const rows = size / columns;
  return Float32Array.from({ length: size }, (_, i) => {
    const k = turned ? (i % rows) * columns + Math.floor(i / rows) : i;
    return 100 * tensor + row + k / 64;
  });
};

export interface Recorded {
  readonly shape: readonly number[];
  readonly rows: readonly Float32Array[];
}

/** A recording of arrays by name, three rows each. */
export function recording(tensors: Readonly<Record<string, Recorded>>): string {
  const path = newPath('npz');
  const arrays = Object.entries(tensors).map(([name, { shape, rows }]) => {
    const data = Float32Array.from(rows.flatMap((row) => [...row]));
    return [name, { data, shape: [rows.length, ...shape] }] as const;
  });
  writeFileSync(path, npzFile(Object.fromEntries(arrays)));
  return path;
}

export const moving = (tensor: number, shape: readonly number[]): Recorded => ({
  shape,
  rows: [0, 1, 2].map((row) => numbers(tensor, row, sizeOf(shape))),
});
export const still = (tensor: number, shape: readonly number[]): Recorded => ({
  shape,
  rows: [0, 0, 0].map((row) => numbers(tensor, row, sizeOf(shape))),
});

export const net: readonly KnownTensor[] = [
  { name: 'a.weight', shape: [3, 2] },
  { name: 'a.bias', shape: [3] },
  { name: 'b.weight', shape: [2, 3] },
];
export const recorded = {
  'a.weight': moving(1, [3, 2]),
  'a.bias': moving(2, [3]),
  'b.weight': moving(3, [2, 3]),
};
export const row1 = [...numbers(1, 1, 6), ...numbers(2, 1, 3), ...numbers(3, 1, 6)];

export function renamed(
  rename: (name: string) => string,
  tensors: Readonly<Record<string, Recorded>> = recorded,
) {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [rename(name), tensor]));
}

export async function read(
  path: string,
  tensors = net,
  options: RecordingOptions & { declared?: string | null } = {},
) {
  const trajectory = await openTrajectory(path, tensors, options);
  const row = [...(await trajectory.row(1))];
  await trajectory.close();
  const said = trajectory.readings
    .map(({ about, decision, evidence }) => `${about}: ${decision} (${evidence})`)
    .join('\n');
  return { row, said, names: trajectory.names };
}
