import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRun } from '../../src/store/open.js';
import { writePyramids } from '../../src/store/pyramid.js';
import { chromiumAbsent, chromiumHere } from '../support/chromium.js';
import { temporaryFolder } from '../support/cli.js';
import {
  column,
  type Dashboard,
  exported,
  openDashboard,
  ownComplaints,
  savedBy,
  sum,
} from '../support/dashboard.js';
import { completeRun, smallManifest } from '../support/run-folder.js';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
/** 1,100,003 parameters, without neurons. */
const wide = [
  { name: 'wide.weight', shape: [1000, 1100], layer: 'wide', neuronAxis: null },
  { name: 'last.bias', shape: [3], layer: 'last', neuronAxis: null },
];
const objectives = [{ name: 'train', parts: [{ name: 'all', examples: 100 }] }];

if (!chromiumHere) console.log(chromiumAbsent);

describe.skipIf(!chromiumHere)('the dashboard on many rows and many segments, in Chromium', () => {
  let shown: Dashboard;
  let page: Page;
  beforeAll(async () => {
    await completeRun(at('long'), smallManifest(40, { objectives }));
    await completeRun(at('wide'), smallManifest(1, { objectives }, wide));
    await completeRun(at('blocks'), smallManifest(150, { objectives }));
    await writePyramids(await openRun(at('blocks')), at('blocks'));
    shown = await openDashboard(['long', 'wide', 'blocks'].map((name) => ({ name, folder: at(name) })));
    ({ page } = shown);
  });
  afterAll(() => shown.close());

  it('takes up a pyramid that is written while the page is open, and shows the same sums by it', async () => {
    await shown.open('#view=microscope&t=0');
    await page.waitForSelector('.microscope[data-busy=false]:not([data-latency="0"])');
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    expect(await writePyramids(await openRun(at('long')), at('long'))).toBe(null);
    const jump = async (key: string) => {
      await page.keyboard.press(key);
      await page.waitForSelector('.microscope[data-busy=false]');
    };
    // It is looked for again every few seconds, when the cursor moves.
    await expect.poll(async () => {
      for (const key of ['End', 'Home', 'ArrowRight']) await jump(key);
      return asked.some((path) => path.includes('/pyramid/train/rounded/'));
    }, { timeout: 120_000, interval: 500 }).toBe(true); // prettier-ignore
    await jump('End');
    const lines = (await savedBy(page, 'Save Microscope', 'csv')).toString().trim().split('\n').slice(1);
    const rows = await exported(at('long'), 'allocation');
    const shownSums = lines.map((line) => Number(line.split(/,(?! )/)[1]));
    expect(shownSums.length).toBe(rows[0]!.length);
    shownSums.forEach((value, k) => { expect(value).toBeCloseTo(sum(column(rows, k)), 5); }); // prettier-ignore
  });

  it.each([
    ['in one answer, and the last rows in another', false, ['blocks/train/2/768-1024', 'pyramid/train/curves/2']],
    ['block by block where a server joins none', true, ['pyramid/train/curves/0', 'pyramid/train/curves/1', 'pyramid/train/curves/2']],
  ])('reads the whole curve of a weight %s', async (_, isPlain, expected) => {
    const asked: string[] = [];
    const note = (request: { url(): string }) => asked.push(new URL(request.url()).pathname.replace('/runs/2/', ''));
    page.on('request', note);
    if (isPlain) await page.route('**/runs.json', async (route) => {
      const { runs } = (await (await route.fetch()).json()) as { runs: unknown };
      await route.fulfill({ json: { runs } });
    });
    await shown.open('#view=overview');
    await page.goto('about:blank');
    asked.length = 0;
    await shown.open('#run=2&view=microscope&t=149&pins=p3');
    await page.waitForSelector('[data-pins] [data-value]');
    const own = column(await exported(at('blocks'), 'allocation'), 3);
    expect(await shown.numberAt('[data-pins] b', 'data-value')).toBeCloseTo(sum(own), 9);
    expect(asked.filter((path) => /blocks|curves/.test(path)).sort()).toEqual(expected);
    page.off('request', note);
  }); // prettier-ignore

  it('lists more than a million parameters to the last, and goes on while it searches their names', async () => {
    await shown.open('#run=1&view=book&by=parameter');
    await page.waitForSelector('[data-total]');
    const sums = (await exported(at('wide'), 'allocation'))[0]!;
    await shown.until(`document.querySelector('[role=table]').ariaRowCount === '1100004'`);
    const [least, most] = [sums.reduce((a, b) => Math.min(a, b)), sums.reduce((a, b) => Math.max(a, b))];
    expect(await shown.numberAt('[data-total]', 'data-total')).toBeCloseTo(least, 9);
    await page.evaluate(`document.querySelector('.scroller').scrollTop = 1e9`);
    await shown.until(
      `Math.abs(Number([...document.querySelectorAll('[data-total]')].at(-1).dataset.total) - ${most}) < 1e-9`,
    );
    // Counts what the page lets in between while it is busy with the search.
    await page.evaluate(`(() => {
      globalThis.turns = 0;
      const turn = () => {
        if (document.querySelector('[role=table]').ariaBusy === 'true') globalThis.turns++;
        setTimeout(turn);
      };
      turn();
    })()`);
    await page.getByLabel('Search names').fill('BIAS[2');
    await shown.until(`document.querySelector('[role=table]').ariaRowCount === '2'`);
    expect(await page.evaluate<number>('globalThis.turns')).toBeGreaterThan(5);
    expect(await shown.numberAt('[data-total]', 'data-total')).toBeCloseTo(sums.at(-1)!, 9);
    expect(ownComplaints(shown.complaints)).toEqual([]);
  });
});
