import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeSafetensors } from '../../../test/support/safetensors.js';
import { DataError } from '../../errors.js';
import { fold, key, uniform } from '../../num/random.js';
import { memorySource } from '../formats/bytes.js';
import type { ByteSource } from '../formats/bytes.js';
import { openNpyTheta, openNpz } from './npz-file.js';
import { openSafetensors } from './safetensors-file.js';
import { stackedTrajectory } from './stacked.js';
import type { RowFile } from './types.js';

const layout = [
  { name: 'a.weight', shape: [3, 2] },
  { name: 'a.bias', shape: [3] },
  { name: 'b.weight', shape: [2, 3, 1, 2] },
];

const fixture = (name: string) => new Uint8Array(readFileSync(join(import.meta.dirname, 'fixtures', name)));

const safetensors = encodeSafetensors({
  theta: { shape: [2, 21], data: new Float32Array(42) },
  iteration: { shape: [2], data: BigInt64Array.of(1n, 2n) },
});

const telling = [0, 1, 0x7f, 0x80, 0xff];

/** The file with a few bytes changed, cut off, doubled or moved; places near the start and the end are favoured. */
function mutate(original: Uint8Array, seed: number): Uint8Array {
  const draws = uniform(fold(key('fuzz'), seed), 40);
  let next = 0;
  const below = (count: number) => Math.floor(draws[next++]! * count);
  const place = () => [below(original.length), below(Math.min(64, original.length)), original.length - 1 - below(Math.min(120, original.length))][below(3)]!; // prettier-ignore
  const bytes = original.slice();
  for (let changes = 1 + below(6); changes > 0; changes--) {
    const at = place();
    bytes[at] = [below(256), telling[below(telling.length)]!, bytes[at]! ^ (1 << below(8))][below(3)]!;
  }
  const shape = below(8);
  if (shape === 0) return bytes.subarray(0, place());
  if (shape === 1) return Buffer.concat([bytes, bytes.subarray(place())]);
  if (shape === 2) bytes.copyWithin(place(), place(), place());
  return bytes;
}

async function readAll(open: (source: ByteSource) => Promise<RowFile>, bytes: Uint8Array): Promise<number> {
  const trajectory = await stackedTrajectory(await open(memorySource(bytes, 'f')), layout);
  try {
    for (let t = 0; t < trajectory.rows; t++) expect((await trajectory.row(t)).length).toBe(21);
    return trajectory.rows;
  } finally {
    await trajectory.close();
  }
}

describe('mutated trajectories', () => {
  it.each([
    { name: 'safetensors', open: openSafetensors, bytes: safetensors, runs: 4000 },
    { name: 'npy', open: openNpyTheta, bytes: fixture('theta.npy'), runs: 3000 },
    { name: 'npz', open: openNpz, bytes: fixture('theta.npz'), runs: 2000 },
    { name: 'compressed npz', open: openNpz, bytes: fixture('tensors.npz'), runs: 1500 },
  ])('are read or refused, fast and in little memory: $name', async ({ open, bytes, runs }) => {
    expect(await readAll(open, bytes)).toBeGreaterThanOrEqual(2);
    const before = process.memoryUsage().rss;
    let refusals = 0;
    let slowest = 0;
    for (let run = 0; run < runs; run++) {
      const started = performance.now();
      try {
        await readAll(open, mutate(bytes, run));
      } catch (error) {
        expect(error).toBeInstanceOf(DataError);
        refusals++;
      }
      slowest = Math.max(slowest, performance.now() - started);
    }
    expect(refusals).toBeGreaterThan(runs / 4);
    expect(slowest).toBeLessThan(1000);
    expect(process.memoryUsage().rss - before).toBeLessThan(512 * 2 ** 20);
  });
});
