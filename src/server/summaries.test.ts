import { appendFileSync, cpSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/cli.js';
import { completeRun, segmentOf, smallManifest, train } from '../../test/support/run-folder.js';
import { decodeSummary } from '../format/derived/summary.js';
import type { Source } from '../format/source.js';
import { folderPlace } from '../store/files.js';
import { createRunFolder, openRun, resumeRun } from '../store/open.js';
import { FileRoom } from './files.js';
import { Summaries } from './summaries.js';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const summaries = new Summaries(new FileRoom());

beforeAll(async () => {
  await completeRun(at('run'), smallManifest(3));
});

it('has the numbers of the run, and is made once however many ask', async () => {
  const [first, ...others] = await Promise.all(
    Array.from({ length: 100 }, () => summaries.of({ folder: at('run') })),
  );
  expect(others.every((bytes) => bytes === first)).toBe(true);
  const view = await (await openRun(at('run'))).view();
  const found = decodeSummary(first!);
  expect(found.view.column('total', 'train')).toEqual(view.column('total', 'train'));
  expect(found.status.sealed).toBe(true);
});

it('is another when the run has grown', async () => {
  const content = smallManifest(4);
  const run = await createRunFolder(at('growing'), content);
  await train(run, content);
  await run.flush();
  await run.close();
  expect(decodeSummary((await summaries.of({ folder: at('growing') }))!).view.segments).toBe(0);
  const resumed = await resumeRun(at('growing'));
  for (const segment of [0, 1]) await resumed.commitSegment(segmentOf(content, segment));
  await resumed.flush();
  await resumed.close();
  expect(decodeSummary((await summaries.of({ folder: at('growing') }))!).view.segments).toBe(2);
});

it('of a run elsewhere is made of its source, once, and anew when that has grown or is another', async () => {
  const [content, other] = [smallManifest(4), smallManifest(2)];
  const run = await createRunFolder(at('elsewhere'), content);
  await train(run, content);
  await run.commitSegment(segmentOf(content, 0));
  await run.flush();
  const asked: string[] = [];
  let place = at('elsewhere');
  const source: Source = {
    get: (path, range) => {
      asked.push(path);
      return folderPlace(place).source.get(path, range);
    },
  };
  const elsewhere = { folder: at('nothing here'), source };
  const segments = async () => decodeSummary((await summaries.of(elsewhere))!).view.segments;
  const first = await Promise.all(Array.from({ length: 100 }, () => summaries.of(elsewhere)));
  expect(first.every((bytes) => bytes === first[0])).toBe(true);
  expect(await segments()).toBe(1);
  expect(asked.filter((path) => path === 'manifest.json').length).toBeLessThan(6);
  await run.commitSegment(segmentOf(content, 1));
  await run.close();
  expect(await segments()).toBe(2);
  await completeRun(at('other'), other);
  place = at('other');
  expect(await segments()).toBe(2);
  expect(decodeSummary((await summaries.of(elsewhere))!).status.sealed).toBe(true);
});

it('is none of a run that is not there, was changed, announces too much, or leads out of its folder', async () => {
  expect(await summaries.of({ folder: at('none') })).toBe(null);
  cpSync(at('run'), at('changed'), { recursive: true });
  appendFileSync(at('changed/manifest.json'), ' ');
  expect(await summaries.of({ folder: at('changed') })).toBe(null);
  cpSync(at('run'), at('huge'), { recursive: true });
  // Ten gigabytes: nothing is made by such a number.
  const manifest = JSON.parse(readFileSync(at('huge/manifest.json'), 'utf8')) as { parameters: object[] };
  Object.assign(manifest.parameters[0]!, { size: 2.5e9, shape: [2.5e9] });
  writeFileSync(at('huge/manifest.json'), JSON.stringify(manifest));
  expect(await summaries.of({ folder: at('huge') })).toBe(null);
  cpSync(at('run'), at('leading'), { recursive: true });
  renameSync(at('leading/journal'), at('journal'));
  symlinkSync(at('journal'), at('leading/journal'));
  expect(await summaries.of({ folder: at('leading') })).toBe(null);
});
