import { cpSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makePart, publishPart } from '../../../test/support/parts.js';
import { changed, ledgerOf, manifest, PlannedRuns, shifted, T } from '../../../test/support/planned-runs.js';
import { filesOf } from '../../../test/support/run-folder.js';
import { chunkPath } from '../../format/layout/arrays.js';
import { verifyRun } from '../../format/verify/verify.js';
import { folderPlace } from '../../store/files.js';
import { openRun, resumeRun } from '../../store/open.js';
import { partFolder } from '../../store/parts/places.js';
import { mixedFacts } from '../facts.js';
import { mergeRun } from './merge.js';
import { workOnTask } from './work.js';

const place = new PlannedRuns();

/** Ways in which a part is not that of its task, and what is said of it. */
const spoiled: readonly (readonly [string, RegExp, () => Promise<unknown>])[] = [
  ['a chunk was changed', /checksum differs/, async () => {
    await publishPart(place.run, manifest, 1);
    const { context } = await openRun(place.run);
    flip(chunkPath(context.rowArrays[0]!, 5));
  }],
  ['a chunk is missing', /is missing/, async () => {
    await publishPart(place.run, manifest, 1);
    const { context } = await openRun(place.run);
    renameSync(join(partFolder(place.run, 1), chunkPath(context.rowArrays[0]!, 5)), join(place.parent, 'gone'));
  }],
  ['a record was changed', /segment 4 was changed/, async () => {
    await publishPart(place.run, manifest, 1);
    const at = filesOf(partFolder(place.run, 1)).get('pending/0')!.length * (4.5 / 7);
    flip('pending/0', Math.floor(at));
  }],
  ['its header was changed', /part\.json is damaged: it was changed/, async () => {
    await publishPart(place.run, manifest, 1);
    const path = join(partFolder(place.run, 1), 'part.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"to": 7', '"to": 6'));
  }],
  ['its journal was changed', /was changed/, async () => {
    await publishPart(place.run, manifest, 1);
    flip('journal', 300);
  }],
  ['it is of another run', /of another run/, () => publishPart(place.run, manifest, 1, { header: { manifest: 'b'.repeat(64) } })],
  ['it is of another plan', /by another plan, for segments/, () => publishPart(place.run, manifest, 1, { header: { plan: 'c'.repeat(64) } })],
  ['it is of another task', /it is of task 2/, async () => {
    await publishPart(place.run, manifest, 2);
    cpSync(join(place.run, 'parts/2'), join(place.run, 'parts/1'), { recursive: true });
  }],
  ['another version measured it', /measured with Lossledger 0\.0\.1 instead of/, () => publishPart(place.run, manifest, 1, { environment: { lossledger: '0.0.1' } })],
  ['it lacks segments', /lacks segment 6/, async () => {
    const part = await makePart(place.run, manifest, 1, { until: 6 });
    await part.close();
    renameSync(part.draft, partFolder(place.run, 1));
  }],
  ['it does not balance', /segment 4 does not balance: residual/, () => publishPart(place.run, manifest, 1, { segment: (segment) => changed(segment, ({ residual }) => ({ residual: residual + 1 })) })],
  ['its losses are not those of its neighbour', /segments 3 and 4 state two numbers of loss\/train/, async () => {
    await publishPart(place.run, manifest, 0);
    await publishPart(place.run, manifest, 1, { segment: (segment) => shifted(segment, 1e-3) });
  }],
]; // prettier-ignore

function flip(path: string, at = 10): void {
  const file = join(partFolder(place.run, 1), path);
  const bytes = readFileSync(file);
  bytes[at]! ^= 1;
  writeFileSync(file, bytes);
}

describe('a part of which', () => {
  it.each(spoiled)('%s is named, set aside and done again', async (_, message, spoil) => {
    await spoil();
    const { refused, missing } = await mergeRun(place.run);
    expect(refused).toMatchObject([{ task: 1, aside: join(place.run, 'parts/1/refused-1') }]);
    expect(refused[0]!.what).toMatch(message);
    expect(missing).toContain(1);
    await place.publishAll();
    expect(await mergeRun(place.run)).toMatchObject({ missing: [], refused: [], segments: T });
    expect(ledgerOf(place.run)).toEqual(place.whole);
  });
});

describe('another machine', () => {
  const environment = { processor: ['x64', 'avx'] };

  it('is refused as a worker, unless that is allowed', async () => {
    const path = join(place.run, 'plan/0');
    writeFileSync(
      path,
      readFileSync(path, 'utf8').replace(/"processor": \[[^\]]*\]/, '"processor": ["z80"]'),
    );
    await expect(workOnTask(place.run, 0)).rejects.toThrow(
      /a machine with processor .* instead of z80[^]*--mixed/,
    );
  });

  it.each([[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]])('is mixed in where that is allowed; the run balances and says so (%i, %i, %i, %i)', async (...order) => {
    for (const task of order) {
      const isOther = task % 2 === 1;
      await publishPart(place.run, manifest, task, isOther ? { environment, segment: (segment) => shifted(segment, 1e-7) } : {});
      expect((await mergeRun(place.run, { mixed: true })).refused).toEqual([]);
    }
    expect(await verifyRun(folderPlace(place.run))).toEqual([]);
    const run = await openRun(place.run);
    expect(run.status.sealed).toBe(true);
    expect(run.mixed.map(({ from }) => from).sort((a, b) => a - b)).toEqual([4, 11]);
    expect(mixedFacts(run.mixed)).toEqual([['Mixed', expect.stringMatching(/segments 4 to 6 by .*x64 avx/)]]);
    await (await resumeRun(place.run)).close();
  }); // prettier-ignore

  it('whose losses are others is refused', async () => {
    await publishPart(place.run, manifest, 0);
    await publishPart(place.run, manifest, 1, { environment, segment: (segment) => shifted(segment, 1e-3) });
    const { refused } = await mergeRun(place.run, { mixed: true });
    expect(refused[0]!.what).toMatch(/two numbers of loss\/train/);
  });
});
