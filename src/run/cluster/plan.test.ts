import { cpSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { plannedManifest, publishPart } from '../../../test/support/parts.js';
import { manifest, PlannedRuns, T } from '../../../test/support/planned-runs.js';
import { thetaOf } from '../../../test/support/run-folder.js';
import { arrayExpression, loadPlan, tasksOfExpression } from '../../format/parts/plan.js';
import { folderPlace } from '../../store/files.js';
import { createRunFolder, openRun } from '../../store/open.js';
import { mergeRun } from './merge.js';
import { divide, planTasks, requirePlan, taskStates } from './plan.js';

const place = new PlannedRuns();

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

  it('are read as they are printed, each once', () => {
    expect(tasksOfExpression('3,17-19')).toEqual([3, 17, 18, 19]);
    expect(tasksOfExpression('5,4-6,4')).toEqual([4, 5, 6]);
    for (const text of ['', '3,', '-1', '2-1', '1-', '1 2', '0-9999999', 'x', '1e3', '0x1'])
      expect(tasksOfExpression(text)).toBeNull();
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
    await expect(mergeRun(place.run)).rejects.toThrow(/plan\/0 is damaged: it is not JSON[^]*--anew/);
    // What is said to be done helps.
    expect(await planTasks(place.run, { tasks: 2 }, { anew: true })).toHaveLength(2);
  });
});

function copyUnplanned(folder: string): void {
  cpSync(place.run, folder, { recursive: true });
  renameSync(join(folder, 'plan'), join(folder, 'no-plan'));
}
