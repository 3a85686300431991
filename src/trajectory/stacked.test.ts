import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeSafetensors } from '../../test/support/safetensors.js';
import { openRecording } from './open.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lossledger-'));
});
afterAll(() => rm(folder, { recursive: true }));

const theta = { shape: [2, 3], data: Float32Array.of(0, 1, 2, 3, 4, 5) };
const counts = (last: bigint) => ({ shape: [2], data: BigInt64Array.of(0n, last) });

async function readingsOf(tensors: Parameters<typeof encodeSafetensors>[0]) {
  const path = join(folder, 'recorded.safetensors');
  await writeFile(path, encodeSafetensors(tensors));
  const { recording, readings } = await openRecording(path);
  await recording.close();
  return readings.map(({ about, decision, warning }) => [about, decision, warning ?? false]);
}

it('arrays beside θ as a whole are named', async () => {
  const note = { shape: [1], data: Float32Array.of(1) };
  expect(await readingsOf({ theta, other: counts(10n), note })).toEqual([
    ['recorded arrays passed over', 'other, note', false],
  ]);
  expect(await readingsOf({ theta, iteration: counts(10n) })).toEqual([]);
});

it('numbers of the rows that are not called iteration are warned of', async () => {
  const warning = ['iterations of the rows', '0 to 1, for the file has no array iteration', true];
  for (const tensors of [{ theta }, { weight: theta }]) {
    expect(await readingsOf({ ...tensors, steps: counts(10n) })).toContainEqual(warning);
    for (const more of [
      { step: counts(1n) },
      { step: counts(10n), iteration: counts(1n) },
      { other: counts(10n) },
    ])
      // prettier-ignore
      expect(await readingsOf({ ...tensors, ...more })).not.toContainEqual(warning);
  }
});
