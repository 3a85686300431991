import { appendFileSync, cpSync, existsSync, readdirSync, readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs'; // prettier-ignore
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makePart, plannedManifest, plannedRun, publishPart } from '../../../test/support/parts.js';
import { completeRun, filesOf, lastingOf, segmentOf, temporaryFolder, thetaOf } from '../../../test/support/run-folder.js'; // prettier-ignore
import { chunkPath } from '../../format/layout/arrays.js';
import { arrayExpression, loadPlan } from '../../format/parts/plan.js';
import { verifyRun } from '../../format/verify/verify.js';
import type { LedgerRow } from '../../ledger/columns.js';
import type { MeasuredSegment } from '../../ledger/measure-range.js';
import { folderPlace } from '../../store/files.js';
import { createRunFolder, openRun, resumeRun } from '../../store/open.js';
import { contextAt, draftsOf, partFolder } from '../../store/parts/places.js';
import { readDraft } from '../../format/parts/part.js';
import { mixedFacts } from '../facts.js';
import { mergeRun } from './merge.js';
import { divide, planTasks, requirePlan, taskStates } from './plan.js';
import { workOnTask } from './work.js';

const T = 14;
const manifest = plannedManifest(T);
/** A planned run, and one that a single process measured: made once, copied for each test. */
const origin = temporaryFolder();
const whole: Record<string, string> = {};
let place: ReturnType<typeof temporaryFolder>;
beforeAll(async () => {
  await plannedRun(origin.run, manifest, 4);
  const folder = join(origin.parent, 'whole');
  await completeRun(folder, manifest);
  Object.assign(whole, ledgerOf(folder));
});
beforeEach(() => {
  place = temporaryFolder();
  cpSync(origin.run, place.run, { recursive: true });
});
afterEach(() => {
  place.remove();
});
afterAll(() => {
  origin.remove();
});

/** Digests of what must be as one process makes it. */
function ledgerOf(folder: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(lastingOf(folder)).filter(([path]) => !/^(plan|parts)\//.test(path)),
  );
}

/** Publishes all parts but some. */
async function publishAll(except: readonly number[] = []): Promise<void> {
  const { tasks } = await requirePlan(await openRun(place.run));
  for (const { task } of tasks) if (!except.includes(task)) await publishPart(place.run, manifest, task);
}

describe('ranges', () => {
  it('cover what is open once, in pieces of nearly equal length', () => {
    expect(divide([{ from: 0, to: 10 }], 3)).toEqual([{ from: 0, to: 3 }, { from: 3, to: 7 }, { from: 7, to: 10 }]); // prettier-ignore
    const gaps = [{ from: 5, to: 6 }, { from: 10, to: 100 }, { from: 200, to: 203 }]; // prettier-ignore
    const cut = divide(gaps, 7).flatMap(({ from, to }) =>
      Array.from({ length: to - from }, (_, k) => from + k),
    );
    expect(cut).toEqual(
      gaps.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, k) => from + k)),
    );
    expect(divide([{ from: 0, to: 2 }], 9)).toHaveLength(2);
  });

  it('are printed as schedulers take them', () => {
    expect(arrayExpression([19, 3, 17, 18])).toBe('3,17-19');
    expect(arrayExpression([])).toBe('');
  });
});

describe('a plan', () => {
  it('is made once; what it lacks is told', async () => {
    await expect(planTasks(place.run, { tasks: 2 })).rejects.toThrow(/none is left to plan/);
    await publishPart(place.run, manifest, 2);
    const run = await openRun(place.run);
    expect(await taskStates(run, await requirePlan(run))).toEqual([
      'missing',
      'missing',
      'measured',
      'missing',
    ]);
    expect(await planTasks(place.run, { tasks: 2 }, { anew: true })).toHaveLength(2);
    expect(existsSync(join(place.run, 'parts'))).toBe(false);
  });

  it('grows with the trajectory', async () => {
    const folder = join(place.parent, 'growing');
    const content = plannedManifest(9);
    const writer = await createRunFolder(folder, content);
    const rows = async (from: number, to: number) => {
      for (let row = from; row < to; row++) await writer.writeTheta(row, thetaOf(row, writer.layout.size));
      await writer.flush();
    };
    await rows(0, 6);
    expect(await planTasks(folder, { tasks: 2 })).toMatchObject([{ from: 0, to: 3 }, { task: 1, from: 3, to: 5 }]);
    await publishPart(folder, content, 0);
    await rows(6, 10);
    await writer.close();
    expect(await planTasks(folder, { tasks: 2 })).toMatchObject([{ task: 2, from: 5, to: 7 }, { task: 3, to: 9 }]);
    for (const task of [3, 1, 2]) await publishPart(folder, content, task);
    expect(await mergeRun(folder)).toMatchObject({ merged: [0, 1, 2, 3], missing: [], segments: 9 });
  }); // prettier-ignore

  it('of two planners at once is that of one', async () => {
    const folder = join(place.parent, 'raced');
    copyUnplanned(folder);
    const made = await Promise.allSettled([1, 2, 3, 4].map((tasks) => planTasks(folder, { tasks })));
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const { tasks } = (await loadPlan(folderPlace(folder)))!;
    expect(tasks.reduce((sum, { from, to }) => sum + to - from, 0)).toBe(T);
  });

  it('that is damaged, or of another manifest, is refused', async () => {
    const path = join(place.run, 'plan/0');
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace(/"manifest": "\w{8}/, '"manifest": "00000000'));
    await expect(mergeRun(place.run)).rejects.toThrow(
      /plan\/0, which was made for a run with another manifest/,
    );
    writeFileSync(path, text.slice(0, 100));
    await expect(mergeRun(place.run)).rejects.toThrow(/plan\/0 is damaged: it is not JSON/);
  });
});

function copyUnplanned(folder: string): void {
  cpSync(place.run, folder, { recursive: true });
  renameSync(join(folder, 'plan'), join(folder, 'no-plan'));
}

describe('parts', () => {
  it('give the bytes of one process, merged in any order while others are measured', async () => {
    await publishPart(place.run, manifest, 2);
    expect(await mergeRun(place.run)).toMatchObject({ merged: [2], missing: [0, 1, 3], segments: 4 });
    await publishPart(place.run, manifest, 0);
    await publishPart(place.run, manifest, 3);
    expect(await mergeRun(place.run)).toMatchObject({ merged: [0, 3], missing: [1] });
    await publishPart(place.run, manifest, 1);
    expect(await mergeRun(place.run)).toMatchObject({ merged: [1], missing: [], segments: T });
    expect(ledgerOf(place.run)).toEqual(whole);
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
    await publishAll();
    const [part, aside] = [partFolder(place.run, 1), join(place.parent, 'part')];
    cpSync(part, aside, { recursive: true });
    await mergeRun(place.run);
    cpSync(aside, part, { recursive: true });
    expect(await mergeRun(place.run)).toMatchObject({ merged: [], missing: [], segments: T });
    expect(ledgerOf(place.run)).toEqual(whole);
    expect(readdirSync(join(place.run, 'parts'))).toEqual([]);
  });
});

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

/** A segment with other numbers in the row of its first objective. */
function changed(segment: number, change: (row: LedgerRow) => Partial<LedgerRow>): MeasuredSegment {
  const { rows } = segmentOf(manifest, segment);
  return { segment, rows: [{ ...rows[0]!, ...change(rows[0]!) }, ...rows.slice(1)] };
}

/** A segment whose losses are larger by a share of them; it balances. */
function shifted(segment: number, share: number): MeasuredSegment {
  return changed(segment, ({ loss, total }) => {
    const [start, end] = [loss[0]! * (1 + share), loss[1]! * (1 + share)];
    return { loss: [start, end], residual: total - (end - start) };
  });
}

describe('a part of which', () => {
  it.each(spoiled)('%s is named, set aside and done again', async (_, message, spoil) => {
    await spoil();
    const { refused, missing } = await mergeRun(place.run);
    expect(refused).toMatchObject([{ task: 1, aside: join(place.run, 'parts/1/refused-1') }]);
    expect(refused[0]!.what).toMatch(message);
    expect(missing).toContain(1);
    await publishAll();
    expect(await mergeRun(place.run)).toMatchObject({ missing: [], refused: [], segments: T });
    expect(ledgerOf(place.run)).toEqual(whole);
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
