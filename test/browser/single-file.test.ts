import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumAbsent, chromiumHere, launchChromium, watchedPage } from '../support/chromium.js';
import { lcaProcess, temporaryFolder } from '../support/cli.js';
import { column, exported, ownComplaints, sum } from '../support/dashboard.js';
import { completeRun, smallManifest } from '../support/run-folder.js';

const folder = temporaryFolder();
const run = join(folder, 'run</script>');

if (!chromiumHere) console.log(chromiumAbsent);

describe.skipIf(!chromiumHere)('a site as one file, opened from disk in Chromium', () => {
  let browser: Browser;
  let page: Page;
  let complaints: string[];
  const requests: string[] = [];
  beforeAll(async () => {
    await completeRun(run, smallManifest(20));
    const { code, stderr } = await lcaProcess([
      'export',
      'site',
      run,
      '--single-file',
      '--out',
      join(folder, 'site'),
    ]);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/sums only; left out: .*allocation\/train/);
    browser = await launchChromium();
    ({ page, complaints } = await watchedPage(browser));
    page.on('request', (request) => requests.push(request.url().slice(0, 200)));
    await page.goto(pathToFileURL(join(folder, 'site/index.html')).href);
    await page.waitForSelector('[data-fact=total]');
  });
  afterAll(() => browser.close());

  it('shows the run, and says that it has sums only', async () => {
    const total = Number((await page.locator('[data-fact=total]').textContent())!.replace('−', '-'));
    expect(total).toBeCloseTo(sum((await exported(run, 'total')).flat()), 2);
    expect(await page.locator('[data-carried]').textContent()).toContain('summaries only');
    expect(statSync(join(folder, 'site/index.html')).size).toBeLessThan(4e6);
  });

  it('has every neuron, and no single weight', async () => {
    await page.keyboard.press('2');
    await page.waitForSelector('.microscope[data-busy=false]:not([data-latency="0"])');
    expect(await page.locator('.microscope').textContent()).toContain('allocation of every neuron');
    await page.keyboard.press('5');
    await page.getByLabel('Entity').selectOption('neuron');
    await page.waitForSelector('[data-total]');
    const rows = await exported(run, 'neuron_sums');
    const least = Math.min(...rows[0]!.map((_, k) => sum(column(rows, k))));
    const shown = Number(await page.locator('[data-total]').first().getAttribute('data-total'));
    expect(shown).toBeCloseTo(least, 9);
    expect(await page.getByLabel('Entity').textContent()).not.toContain('parameter');
    for (const key of ['3', '4', '6']) {
      await page.keyboard.press(key);
      await page.waitForTimeout(200);
    }
  });

  it('has the playground too', async () => {
    await page.keyboard.press('7');
    await page.getByRole('button', { name: 'One step' }).click();
    await page.waitForSelector('[data-steps="1"]');
  });

  it('asked for nothing but itself, and complained of nothing', () => {
    expect(requests.filter((url) => !/^(file|data|blob):/.test(url))).toEqual([]);
    expect(ownComplaints(complaints)).toEqual([]);
    expect(readFileSync(join(folder, 'site/index.html'), 'utf8')).toContain('mediabunny');
  });
});
