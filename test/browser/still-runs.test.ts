import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumAbsent, chromiumHere } from '../support/chromium.js';
import { temporaryFolder } from '../support/cli.js';
import { type Dashboard, openDashboard, ownComplaints } from '../support/dashboard.js';
import { size, writeRecordedRun } from '../support/recorded.js';
import { encodeSafetensors } from '../support/safetensors.js';
import { wholeRun } from '../support/whole-run.js';

/** Where pictures are left, to be looked at. */
const pictures = join(import.meta.dirname, '../../node_modules/.cache/lossledger/screens');
/** Runs of four segments that move by nothing and by next to nothing, and one of a single segment. */
const names = ['still', 'slow', 'single'] as const;
const folder = temporaryFolder();

async function makeRun(name: (typeof names)[number]): Promise<string> {
  const files = join(folder, name);
  mkdirSync(files);
  const rows = name === 'single' ? 2 : 5;
  const { theta } = writeRecordedRun(files, rows);
  const step = { still: 0, slow: 2e-7, single: 1 }[name];
  const data = theta.map((value, k) => theta[k % size]! + step * (value - theta[k % size]!));
  const stacked = { theta: { shape: [rows, size], data } };
  writeFileSync(join(files, 'trajectory.safetensors'), encodeSafetensors(stacked));
  const [model, trajectory, set] = ['model.onnx', 'trajectory.safetensors', 'data.npz'].map((file) =>
    join(files, file),
  );
  const run = join(files, 'run');
  await wholeRun(run, { model: model!, trajectory: trajectory!, data: set!, engine: 'reference', tolerance: null }); // prettier-ignore
  return run;
}

if (!chromiumHere) console.log(chromiumAbsent);

describe.skipIf(!chromiumHere)('the overview of runs in which little happened, in Chromium', () => {
  let shown: Dashboard;
  let page: Page;
  beforeAll(async () => {
    const runs = [];
    for (const name of names) runs.push({ name, folder: await makeRun(name) });
    shown = await openDashboard(runs);
    ({ page } = shown);
  });
  afterAll(() => shown.close());

  const open = async (name: (typeof names)[number]) => {
    await shown.open(`#run=${names.indexOf(name)}`);
    await page.waitForSelector('[aria-label="Loss over iterations"]');
    await page.screenshot({ path: join(pictures, `overview-${name}.png`), fullPage: true });
  };
  const chart = (label: string) => page.locator(`svg[aria-label="${label}"]`);
  /** Labels of the vertical axis, which end where ticks begin. */
  const ticksOf = (label: string) => chart(label).locator('g[text-anchor=end][font-variant] text');
  const edges = async (label: string) => {
    const boxes = (await ticksOf(label).all()).map(async (tick) => (await tick.boundingBox())!);
    const [lefts, rights] = [[] as number[], [] as number[]];
    for (const { x, width } of await Promise.all(boxes)) {
      lefts.push(x);
      rights.push(x + width);
    }
    return { left: Math.min(...lefts), right: Math.max(...rights) };
  };

  it('draws every segment, the only one too, and complains of nothing', async () => {
    for (const name of names) await open(name);
    const areas = chart('Allocation of layers over iterations, stacked').locator('path[fill^="#"]');
    expect(await areas.count()).toBe(2);
    for (const area of await areas.all()) expect((await area.boundingBox())!.width).toBeGreaterThan(300);
    expect(ownComplaints(shown.complaints)).toEqual([]);
  });

  it('shows whole tick labels, and both charts of the loss from one line on', async () => {
    await open('slow');
    const [loss, residual] = [await edges('Loss over iterations'), await edges('Residual over iterations')];
    const { x } = (await chart('Loss over iterations').boundingBox())!;
    expect(Math.min(loss.left, residual.left)).toBeGreaterThanOrEqual(x);
    expect(loss.right).toBeCloseTo(residual.right, 0);
    expect(loss.right - loss.left).toBeGreaterThan(52);
    for (const text of await ticksOf('Cumulative allocation of layers').allTextContents())
      expect(text).toMatch(/^(0|−?\d(\.\d+)?e−\d+)$/);
  });

  it('has one value on an axis of one value, and no colour for a sum of zero', async () => {
    await open('still');
    expect(await ticksOf('Cumulative allocation of layers').allTextContents()).toEqual(['0']);
    expect(await page.locator('[data-fact=total]').getAttribute('class')).not.toContain('hurting');
    const iterations = chart('Loss over iterations').locator('g[font-variant]:not([text-anchor=end]) text');
    expect(await iterations.allTextContents()).toEqual(['0', '1', '2', '3', '4']);
  });
});
