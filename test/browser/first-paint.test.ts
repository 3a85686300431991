import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { join } from 'node:path';
import { palettes } from '../../apps/dashboard/src/draw/colours.js';
import { chromiumAbsent, chromiumHere } from '../support/chromium.js';
import { temporaryFolder } from '../support/cli.js';
import { type Dashboard, exported, openDashboard, ownComplaints, sum } from '../support/dashboard.js';
import { completeRun, smallManifest } from '../support/run-folder.js';

const folder = temporaryFolder();
const run = join(folder, 'run');

if (!chromiumHere) console.log(chromiumAbsent);

describe.skipIf(!chromiumHere)('what the dashboard shows first, in Chromium', () => {
  let shown: Dashboard;
  let page: Page;
  beforeAll(async () => {
    await completeRun(run, smallManifest(40));
    shown = await openDashboard([{ name: 'run', folder: run }]);
    ({ page } = shown);
  });
  afterAll(() => shown.close());

  it.each(['light', 'dark'] as const)(
    'is the frame of the page, before any script, in the colours of the palette (%s)',
    async (colorScheme) => {
      await page.emulateMedia({ colorScheme });
      await page.route('**/*.js', (route) => route.abort());
      await page.goto(shown.served.url);
      expect(await page.locator('.shell').innerText()).toContain('Lossledger');
      const found = await page.evaluate<string[]>(
        `['--text', '--muted', '--panel', '--line'].map((name) => getComputedStyle(document.documentElement).getPropertyValue(name).replace(/^#(.)(.)(.)$/, '#$1$1$2$2$3$3'))`,
      );
      const { text, muted, panel, line } = palettes[colorScheme];
      expect(found).toEqual([text, muted, panel, line]);
      await page.unroute('**/*.js');
    },
  );

  it('is the whole run by a handful of requests: no journal, no array', async () => {
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await shown.open();
    const total = Number((await page.locator('[data-fact=total]').textContent())!.replace('−', '-'));
    expect(total).toBe(Number(sum((await exported(run, 'total')).flat()).toPrecision(4)));
    await page.waitForSelector('[aria-label="Loss"] .plot svg', { state: 'attached' });
    expect(asked.filter((path) => /runs/.test(path))).toEqual(['/runs.json', '/runs/0/summary']);
    expect(await page.title()).toBe('run – Overview – Lossledger');
    expect(ownComplaints(shown.complaints).filter((text) => !text.includes('net::ERR_FAILED'))).toEqual([]);
  });
});
