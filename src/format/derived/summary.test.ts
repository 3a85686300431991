import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/cli.js';
import { completeRun, smallManifest } from '../../../test/support/run-folder.js';
import { openRun } from '../../store/open.js';
import { decodeSummary, encodeSummary, requireRoom, summaryColumns, summaryOf } from './summary.js';

it('gives back what the run itself gives, to the last bit', async () => {
  const folder = join(temporaryFolder(), 'run');
  await completeRun(folder, smallManifest(5));
  const run = await openRun(folder);
  const view = await run.view();
  const found = decodeSummary(encodeSummary(await summaryOf(run)));
  expect(found).toMatchObject({ manifest: run.manifest, status: run.status, arrays: run.arrayNames });
  expect(found.layout).toEqual(run.layout);
  for (const name of ['segments', 'iteration', 'objectives', 'components', 'unit', 'rule', 'tolerance', 'certify'] as const) expect(found.view[name], name).toEqual(view[name]); // prettier-ignore
  for (const { name: objective } of view.objectives)
    for (const name of summaryColumns) {
      expect(found.view.has(name, objective), name).toBe(view.has(name, objective));
      if (view.has(name, objective))
        expect(found.view.column(name, objective), name).toEqual(view.column(name, objective));
    }
  expect(() => found.view.column('evaluations', 'train')).toThrow(/its summary has no other columns/);
});

it.each([
  [{ size: 2 ** 28, shape: [2, 2 ** 27] }, /announces 268,435,456 parameters/],
  [{ size: 2 ** 22, shape: [2 ** 22] }, /announces 4,194,304 parameters/],
])('refuses what no page can hold: %j', (tensor, message) => {
  const bytes = new TextEncoder().encode(JSON.stringify({ parameters: [tensor] }));
  expect(() => { requireRoom(bytes); }).toThrow(message); // prettier-ignore
});

it.each(['not json', 'null', '[]', '{"parameters":3}'])(
  'leaves what is no manifest to who reads it: %s',
  (text) => {
    expect(() => { requireRoom(new TextEncoder().encode(text)); }).not.toThrow(); // prettier-ignore
  },
);
