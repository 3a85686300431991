import { appendFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layoutOf } from '../../src/ledger/layout.js';
import { serveRuns } from '../../src/server/serve.js';
import { createRunFolder, resumeRun } from '../../src/store/open.js';
import { chromiumAbsent, chromiumHere } from '../support/chromium.js';
import { temporaryFolder } from '../support/cli.js';
import { builtPage, type Dashboard, openDashboard, ownComplaints } from '../support/dashboard.js';
import { completeRun, segmentOf, smallManifest, train } from '../support/run-folder.js';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const hostileText = '<img src=x onerror="document.title=`taken`">';
/** In the order in which they are served. */
const names = ['empty', 'broken', 'huge', 'live', hostileText, 'behind'] as const;
const content = smallManifest(9);

async function makeRuns(): Promise<void> {
  for (const name of ['empty', 'live', 'behind']) {
    const run = await createRunFolder(at(name), content);
    await train(run, content);
    // Any segments may be measured first.
    for (const segment of name === 'behind' ? [4, 5] : [])
      await run.commitSegment(segmentOf(content, segment));
    await run.flush();
    await run.close();
  }
  await completeRun(at('broken'), smallManifest(3));
  const manifest = JSON.parse(readFileSync(at('broken/manifest.json'), 'utf8')) as {
    parameters: { size: number; shape: number[] }[];
  };
  appendFileSync(at('broken/manifest.json'), ' ');
  mkdirSync(at('huge'));
  Object.assign(manifest.parameters[0]!, { size: 2.5e9, shape: [2.5e9] });
  writeFileSync(at('huge/manifest.json'), JSON.stringify(manifest));
  const tensors = [{ name: `${hostileText}.weight`, shape: [3, 2], layer: hostileText, neuronAxis: 0 }];
  await completeRun(at('hostile'), smallManifest(4, {
    parameters: layoutOf(tensors).tensors.map((tensor) => ({ ...tensor, shape: [...tensor.shape] })),
    layers: [{ name: hostileText, neurons: 3 }],
    objectives: [{ name: 'train', parts: [{ name: hostileText, examples: 60 }, { name: '"><script>document.title=`taken`</script>', examples: 40 }] }],
  })); // prettier-ignore
}

if (!chromiumHere) console.log(chromiumAbsent);

describe.skipIf(!chromiumHere)('the dashboard on runs that are not whole, in Chromium', () => {
  let shown: Dashboard;
  let page: Page;
  beforeAll(async () => {
    await makeRuns();
    const runs = names.map((name) => ({ name, folder: at(name === hostileText ? 'hostile' : name) }));
    shown = await openDashboard(runs);
    ({ page } = shown);
  });
  afterAll(() => shown.close());

  it.each([
    ['empty', 0, '[data-empty]', /lca resume empty/],
    ['broken', 1, '[data-problem]', /was changed after the run began/],
    ['huge', 2, '[data-problem]', /announces 2,500,00\d,\d+ parameters/],
    [
      'behind',
      5,
      '[data-empty]',
      /first segment is not measured yet\s+2 of 9 segments are, all behind it[^]*lca resume behind/,
    ],
  ])('has a screen for a run that is %s', async (_, run, selector, text) => {
    await shown.open(`#run=${run}`);
    await page.waitForSelector(selector);
    expect(await page.locator(selector).textContent()).toMatch(text);
  });

  it('runs no script that hides in names', async () => {
    await shown.open('#run=4');
    for (const key of ['1', '2', '3', '4', '5', '6', '7']) {
      await page.keyboard.press(key);
      await page.waitForTimeout(150);
    }
    expect(await page.title()).toBe(`${hostileText} – Playground – Lossledger`);
    expect(await page.locator('img').count()).toBe(0);
  });

  it('follows a run in progress, fetching only what is new of its journal', async () => {
    await shown.open('#run=3');
    await page.waitForSelector('[data-empty]');
    // What the page has read by now, at least.
    const { size } = statSync(at('live/journal'));
    const run = await resumeRun(at('live'));
    for (let segment = 0; segment < 3; segment++) await run.commitSegment(segmentOf(content, segment));
    await run.flush();
    await page.waitForSelector('[data-live]');
    await shown.until(`document.querySelector('[data-live]').textContent.includes('3 of 9')`);
    const ranges: number[] = [];
    page.on('request', (request) => {
      if (request.url().endsWith('runs/3/journal'))
        ranges.push(Number(/bytes=(\d+)/.exec(request.headers()['range'] ?? '')?.[1]));
    });
    for (let segment = 3; segment < 6; segment++) await run.commitSegment(segmentOf(content, segment));
    await run.flush();
    await run.close();
    await shown.until(`document.querySelector('[data-live]').textContent.includes('6 of 9')`);
    expect(Math.min(...ranges)).toBeGreaterThanOrEqual(size - 1);
    expect(ownComplaints(shown.complaints)).toEqual([]);
    expect(shown.foreign).toEqual([]);
  });

  it('goes on by itself when the server was ended and started again', async () => {
    const refused: string[] = [];
    page.on('requestfailed', (request) => refused.push(request.failure()!.errorText));
    const port = Number(new URL(shown.served.url).port);
    await shown.served.close();
    await expect.poll(() => refused.length, { timeout: 30_000 }).toBeGreaterThan(0);
    expect(await page.locator('footer .where b').first().textContent()).toBe('5');
    const run = await resumeRun(at('live'));
    for (let segment = 6; segment < 9; segment++) await run.commitSegment(segmentOf(content, segment));
    await run.flush();
    await run.close();
    const runs = names.map((name) => ({ name, folder: at(name === hostileText ? 'hostile' : name) }));
    const again = await serveRuns({ page: builtPage, runs, port });
    await shown.until(
      `document.querySelector('footer .where').textContent.includes('of 9') && !document.querySelector('[data-live]')`,
    );
    expect(await page.locator('footer .where b').first().textContent()).toBe('8');
    await page.close();
    await again.close();
  });
});
