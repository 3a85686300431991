import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join, resolve } from 'node:path';
import type { Browser, Download, Page } from 'playwright-core';
import { expect } from 'vitest';
import { type ExportOptions, exportRun } from '../../src/run/export/export.js';
import { type Served, type ServedRun, serveRuns } from '../../src/server/serve.js';
import { launchChromium, watchedPage } from './chromium.js';
import { temporaryFolder } from './cli.js';

/** Folder of the built page. */
export const builtPage = resolve(import.meta.dirname, '../../dist/dashboard');

/** Runs that are served, and a browser that looks at them. */
export interface Dashboard {
  readonly page: Page;
  readonly served: Served;
  /** What the page complained of: console, uncaught errors, answers that are errors. */
  readonly complaints: string[];
  /** Requests to other hosts. */
  readonly foreign: string[];
  /** Opens the page anew at an address, and waits until something is shown. */
  readonly open: (hash?: string) => Promise<void>;
  /** Waits until an expression holds in the page, whose policy lets nothing be evaluated there by itself. */
  readonly until: (expression: string) => Promise<void>;
  readonly numberAt: (selector: string, name: string) => Promise<number>;
  readonly close: () => Promise<void>;
}

export async function openDashboard(runs: readonly ServedRun[]): Promise<Dashboard> {
  const served = await serveRuns({ page: builtPage, runs });
  const browser: Browser = await launchChromium();
  const { page, complaints } = await watchedPage(browser);
  const foreign: string[] = [];
  page.on('response', (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
  });
  page.on('request', (request) => {
    const own = /^(data|blob):/.test(request.url()) || request.url().startsWith(served.url);
    if (!own) foreign.push(request.url());
  });
  await page.setViewportSize({ width: 1280, height: 900 });
  return {
    page,
    served,
    complaints,
    foreign,
    open: async (hash = '') => {
      await page.goto('about:blank');
      await page.goto(`${served.url}${hash}`);
      await page.waitForSelector('[data-ready=true]');
    },
    until: (expression) =>
      expect.poll(() => page.evaluate<boolean>(expression), { timeout: 30_000 }).toBe(true),
    numberAt: async (selector, name) => Number(await page.locator(selector).first().getAttribute(name)),
    close: async () => {
      await browser.close();
      await served.close();
    },
  };
}

/** Complaints that say something of the page: not those about software rendering, nor requests that a new page gave up. */
export function ownComplaints(complaints: readonly string[]): string[] {
  return complaints.filter(
    (text) => !text.startsWith('failed: ') && !/GPU stall|GL Driver Message/.test(text),
  );
}

/** What axe-core finds serious in what is shown. */
export async function seriousFaults(page: Page): Promise<string[]> {
  await page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
  return page.evaluate(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => id + ': ' + nodes[0].html.slice(0, 200)))`);
}

/** What a panel's menu saves. */
export async function savedBy(page: Page, label: string, kind: string): Promise<Buffer> {
  const saving: [Promise<Download>, Promise<unknown>] = [
    page.waitForEvent('download'),
    page.getByLabel(label, { exact: true }).selectOption(kind),
  ];
  const [download] = await Promise.all(saving);
  return readFileSync(await download.path());
}

const known = new Map<string, Promise<number[][]>>();

/** Numbers of the objective `train` as `lca export` gives them, as rows; asked for once. */
export function exported(run: string, what: ExportOptions['what']): Promise<number[][]> {
  const key = `${run} ${what}`;
  const rows = known.get(key) ?? exportedRows(run, what);
  known.set(key, rows);
  return rows;
}

async function exportedRows(run: string, what: ExportOptions['what']): Promise<number[][]> {
  const out = join(temporaryFolder(), `${basename(run)}-${what}.json`);
  await exportRun(run, { what, objective: 'train', format: 'json', out });
  return (JSON.parse(readFileSync(out, 'utf8')) as { rows: number[][] }).rows;
}

export const column = (rows: readonly (readonly number[])[], k: number): number[] =>
  rows.map((row) => row[k]!);
export const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
