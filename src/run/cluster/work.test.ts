import { appendFileSync, cpSync, readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makePart, publishPart } from '../../../test/support/parts.js';
import { ledgerOf, manifest, PlannedRuns, T } from '../../../test/support/planned-runs.js';
import { filesOf } from '../../../test/support/run-folder.js';
import { chunkPath } from '../../format/layout/arrays.js';
import { readDraft } from '../../format/parts/part.js';
import { verifyRun } from '../../format/verify/verify.js';
import { folderPlace } from '../../store/files.js';
import { contextAt, draftsOf, partFolder } from '../../store/parts/places.js';
import { mergeRun } from './merge.js';
import { workOnTask } from './work.js';

const place = new PlannedRuns();

describe('parts', () => {
  it('give the bytes of one process, merged in any order while others are measured', async () => {
    await publishPart(place.run, manifest, 2);
    expect(await mergeRun(place.run)).toMatchObject({ merged: [2], missing: [0, 1, 3], segments: 4 });
    await publishPart(place.run, manifest, 0);
    await publishPart(place.run, manifest, 3);
    expect(await mergeRun(place.run)).toMatchObject({ merged: [0, 3], missing: [1] });
    await publishPart(place.run, manifest, 1);
    expect(await mergeRun(place.run)).toMatchObject({ merged: [1], missing: [], segments: T });
    expect(ledgerOf(place.run)).toEqual(place.whole);
    expect(await verifyRun(folderPlace(place.run))).toEqual([]);
    expect(readdirSync(join(place.run, 'parts'))).toEqual([]);
  });

  it('write nothing outside their folder before they are merged', async () => {
    const before = filesOf(place.run);
    await publishPart(place.run, manifest, 1);
    const after = filesOf(place.run);
    for (const path of after.keys()) if (path.startsWith('parts/1/')) after.delete(path);
    expect(after).toEqual(before);
  });

  it('of one task are published once', async () => {
    const own = await Promise.all([1, 2, 3].map(() => makePart(place.run, manifest, 1)));
    const published = await Promise.all(own.map((part) => part.publish()));
    expect(published.filter(Boolean)).toHaveLength(1);
    await Promise.all(own.map((part) => part.close()));
    expect(readdirSync(join(place.run, 'parts/1'))).toEqual(['part']);
    expect(await workOnTask(place.run, 1)).toBe('published by another worker');
    await mergeRun(place.run);
    expect(await workOnTask(place.run, 1)).toBe('merged already');
  });

  it('begin with what is sound of earlier drafts, whatever clocks say', async () => {
    const first = await makePart(place.run, manifest, 0, { until: 2 });
    await first.close();
    const year = Date.now() / 1000 + 365 * 86400;
    for (const path of filesOf(first.draft).keys()) utimesSync(join(first.draft, path), year, year);
    const second = await makePart(place.run, manifest, 0, { until: 0 });
    await second.adopt((await readDraft(contextAt(second.context, first.draft)))!);
    expect(second.unmeasured()).toEqual([{ from: 2, to: 4 }]);
    const chunk = second.context.rowArrays[0]!;
    const third = await makePart(place.run, manifest, 0, { until: 0 });
    appendFileSync(join(first.draft, chunkPath(chunk, 1)), 'x');
    appendFileSync(join(first.draft, 'journal'), 'torn');
    await third.adopt((await readDraft(contextAt(third.context, first.draft)))!);
    expect(third.unmeasured()).toEqual([{ from: 1, to: 4 }]);
    for (const part of [second, third]) await part.close();
    expect(await draftsOf(place.run, 0)).toHaveLength(3);
  });

  it('of other machines are no beginning', async () => {
    const other = await makePart(place.run, manifest, 0, {
      until: 2,
      environment: { processor: ['x64', 'avx'] },
    });
    await other.close();
    const own = await makePart(place.run, manifest, 0, { until: 0 });
    await own.adopt((await readDraft(contextAt(own.context, other.draft)))!);
    expect(own.unmeasured()).toEqual([{ from: 0, to: 4 }]);
    await own.close();
  });

  it('that a merge was stopped in are merged by the next', async () => {
    await place.publishAll();
    const [part, aside] = [partFolder(place.run, 1), join(place.parent, 'part')];
    cpSync(part, aside, { recursive: true });
    await mergeRun(place.run);
    cpSync(aside, part, { recursive: true });
    expect(await mergeRun(place.run)).toMatchObject({ merged: [], missing: [], segments: T });
    expect(ledgerOf(place.run)).toEqual(place.whole);
    expect(readdirSync(join(place.run, 'parts'))).toEqual([]);
  });
});
