import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import type { Dataset } from '../../data/types.js';
import { partitionBy, partsEntry, type Partitioned } from './partitions.js';

/** Groups of examples by the lines of a file. */
function divided(lines: readonly string[], count = 4): Promise<Partitioned> {
  const path = join(temporaryFolder(), 'kinds.csv');
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  const examples = { count, shape: [1], inputs: new Float32Array(count), labels: new Int32Array(count) };
  const dataset = { name: 'own', classes: 2, drawn: {}, labelling: { classAxis: 1, ignored: null } };
  const input = { dataset: dataset as unknown as Dataset, name: 'train', examples, rows: 1 };
  return partitionBy(partsEntry(path), input);
}

it('a first line is a heading where there is one more than examples and it is no group of them', async () => {
  const { partition, reading } = await divided(['kind', 'b', 'a', 'b', 'b']);
  expect([partition.names, [...partition.partOf]]).toEqual([['a', 'b'], [1, 0, 1, 1]]); // prettier-ignore
  expect(reading!.decision).toMatch(/the first line, kind, is a heading/);
  await expect(divided(['b', 'b', 'a', 'b', 'b'])).rejects.toThrow(/with 5 group names/);
});

it('a group for each example is warned of, unless there are a few examples', async () => {
  const ids = Array.from({ length: 20 }, (_, k) => `${k}`);
  expect((await divided(ids, 20)).reading).toMatchObject({ warning: true });
  expect((await divided(['a', 'b', 'c', 'd'])).reading!.warning).toBeUndefined();
});
