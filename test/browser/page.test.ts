import { build } from 'esbuild';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumAbsent, chromiumHere, launchChromium, watchedPage } from '../support/chromium.js';
import { lca, temporaryFolder } from '../support/cli.js';
import { serveFolder, type WebFolder } from '../support/web.js';

const folder = temporaryFolder();
const source = join(import.meta.dirname, 'page');

async function succeed(args: readonly string[]): Promise<string> {
  const { code, stderr, stdout } = await lca(args);
  expect(code, stderr).toBe(0);
  return stdout;
}

/** What `lca export` says of an objective's totals, [T]. */
async function exportedTotals(objective: string): Promise<number[]> {
  const what = ['--what', 'total', '--objective', objective, '--format', 'json'];
  const { rows } = JSON.parse(await succeed(['export', join(folder, 'run'), ...what])) as {
    rows: number[][];
  };
  return rows.flat();
}

if (!chromiumHere) console.log(chromiumAbsent);

describe.skipIf(!chromiumHere)('a page in Chromium that reads a run from a web server', () => {
  let browser: Browser;
  let web: WebFolder;
  beforeAll(async () => {
    const small = [
      '--subset',
      '120',
      '--batch-size',
      '20',
      '--chunk',
      '40',
      '--iterations',
      '5',
      '--engine',
      'reference',
    ];
    await succeed(['run', 'mnist-fc-sgd', ...small, '--quiet', '--out', join(folder, 'run')]);
    cpSync(join(source, 'index.html'), join(folder, 'page/index.html'));
    const entryPoints = [join(source, 'totals.js')];
    await build({
      entryPoints,
      bundle: true,
      format: 'esm',
      outdir: join(folder, 'page'),
      logLevel: 'silent',
    });
    web = await serveFolder(folder);
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser.close();
    await web.close();
  });

  it('shows the totals that lca export gives, and fetches no more than it needs', async () => {
    const { page, complaints } = await watchedPage(browser);
    await page.goto(`${web.address}/page/index.html`);
    await page.waitForSelector('body[data-state=shown]');
    const shown = await page
      .locator('tr')
      .evaluateAll((rows) => rows.map((row) => (row as { innerText: string }).innerText.split('\t')));
    expect(complaints).toEqual([]);
    const [names, ...segments] = shown;
    expect(names).toEqual(['train', 'validation']);
    const totals = await Promise.all(names!.map(exportedTotals));
    expect(segments.map((row) => row.map(Number))).toEqual(
      totals[0]!.map((_, t) => totals.map((column) => column[t]!)),
    );
    const fetched = web.answered.filter(({ path }) => path.startsWith('/run/'));
    expect(fetched.some(({ range }) => range !== undefined)).toBe(true);
    expect(fetched.filter(({ path }) => /theta|allocation/.test(path))).toEqual([]);
  });
});
