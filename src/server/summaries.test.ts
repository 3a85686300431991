import { appendFileSync, cpSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/cli.js';
import { completeRun, segmentOf, smallManifest, train } from '../../test/support/run-folder.js';
import { decodeSummary } from '../format/derived/summary.js';
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
  const [first, ...others] = await Promise.all(Array.from({ length: 100 }, () => summaries.of(at('run'))));
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
  expect(decodeSummary((await summaries.of(at('growing')))!).view.segments).toBe(0);
  const resumed = await resumeRun(at('growing'));
  for (const segment of [0, 1]) await resumed.commitSegment(segmentOf(content, segment));
  await resumed.flush();
  await resumed.close();
  expect(decodeSummary((await summaries.of(at('growing')))!).view.segments).toBe(2);
});

it('is none of a run that is not there, was changed, announces too much, or leads out of its folder', async () => {
  expect(await summaries.of(at('none'))).toBe(null);
  cpSync(at('run'), at('changed'), { recursive: true });
  appendFileSync(at('changed/manifest.json'), ' ');
  expect(await summaries.of(at('changed'))).toBe(null);
  cpSync(at('run'), at('huge'), { recursive: true });
  // Ten gigabytes: nothing is made by such a number.
  const manifest = JSON.parse(readFileSync(at('huge/manifest.json'), 'utf8')) as { parameters: object[] };
  Object.assign(manifest.parameters[0]!, { size: 2.5e9, shape: [2.5e9] });
  writeFileSync(at('huge/manifest.json'), JSON.stringify(manifest));
  expect(await summaries.of(at('huge'))).toBe(null);
  cpSync(at('run'), at('leading'), { recursive: true });
  renameSync(at('leading/journal'), at('journal'));
  symlinkSync(at('journal'), at('leading/journal'));
  expect(await summaries.of(at('leading'))).toBe(null);
});
