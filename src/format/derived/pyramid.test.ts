import { expect, it } from 'vitest';
import { PyramidBuilder, pyramidBytes } from './pyramid.js';

const [T, K] = [150, 5];
const rows = Array.from({ length: T }, (_, t) =>
  Float32Array.from({ length: K }, (_, k) => (k === 0 ? 0 : Math.sin(t * 7.1 + k) * 10 ** -k)),
);

it('holds sums, positive parts and counts of the first segments, rounded sums, and curves turned over', () => {
  const builder = new PyramidBuilder('train', K, 'float32');
  const files = new Map(rows.flatMap((row) => builder.add(row)).map(({ path, bytes }) => [path, bytes]));
  expect([...files.keys()].filter((path) => path.includes('sums'))).toEqual(
    Array.from({ length: 9 }, (_, n) => `pyramid/train/sums/${16 * (n + 1)}`),
  );
  const bytes = files.get('pyramid/train/sums/96')!;
  const floats = new Float64Array(bytes.slice(0, 16 * K).buffer);
  const counts = new Int32Array(bytes.slice(16 * K).buffer);
  for (let k = 0; k < K; k++) {
    const curve = rows.slice(0, 96).map((row) => row[k]!);
    expect(floats[k]).toBe(curve.reduce((a, b) => a + b, 0));
    expect(floats[K + k]).toBe(curve.filter((value) => value > 0).reduce((a, b) => a + b, 0));
    expect(counts[k]).toBe(curve.filter((value) => value < 0).length);
    expect(counts[K + k]).toBe(curve.filter((value) => value > 0).length);
    const block = new Float32Array(files.get('pyramid/train/curves/1')!.slice().buffer);
    expect([...block.subarray(64 * k, 64 * (k + 1))]).toEqual(rows.slice(64, 128).map((row) => row[k]!));
  }
  expect([...files.keys()].filter((path) => path.includes('rounded')).length).toBe(37);
  expect(new Float32Array(files.get('pyramid/train/rounded/96')!.slice().buffer)).toEqual(
    Float32Array.from(floats.subarray(0, K)),
  );
  const last = builder.finish();
  expect(last.map(({ path }) => path)).toEqual([`pyramid/train/curves/${Math.floor(T / 64)}`]);
  const rest = T % 64;
  const block = new Float32Array(last[0]!.bytes.slice().buffer);
  for (let k = 0; k < K; k++)
    expect([...block.subarray(rest * k, rest * (k + 1))]).toEqual(rows.slice(T - rest).map((row) => row[k]!));
  files.set(last[0]!.path, last[0]!.bytes);
  const total = [...files.values()].reduce((sum, { length }) => sum + length, 0);
  expect(total).toBe(pyramidBytes(T, K, 'float32'));
});

it('goes on from what was written as if it had never stopped', () => {
  const whole = new PyramidBuilder('train', K, 'float32');
  const files = rows.flatMap((row) => whole.add(row));
  const resumed = new PyramidBuilder('train', K, 'float32');
  resumed.resume(64, files.find(({ path }) => path.endsWith('sums/64'))!.bytes);
  const rest = rows.slice(64).flatMap((row) => resumed.add(row));
  expect(rest).toEqual(files.slice(files.findIndex(({ path }) => path.endsWith('curves/0')) + 1));
  expect(() => { resumed.resume(64, new Uint8Array(7)); }).toThrow(/in 7 bytes/); // prettier-ignore
  expect(() => { resumed.resume(16, files.find(({ path }) => path.endsWith('sums/16'))!.bytes); }).toThrow(/multiple of 64/); // prettier-ignore
});
