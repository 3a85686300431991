import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumAbsent, chromiumHere } from '../support/chromium.js';
import { lca, temporaryFolder } from '../support/cli.js';
import {
  builtPage,
  column,
  type Dashboard,
  exported,
  openDashboard,
  ownComplaints,
  savedBy,
  seriousFaults,
  sum,
} from '../support/dashboard.js';
import { completeRun, smallManifest } from '../support/run-folder.js';

/** Where pictures of all screens are left, to be looked at. */
const pictures = join(import.meta.dirname, '../../node_modules/.cache/lossledger/screens');
const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
/** Served in this order: a real run on MNIST of two epochs, a made-up one, and one that kept layers only. */
const names = ['mnist', 'made', 'layers'] as const;
const size = '--subset 60 --batch-size 20 --chunk 20 --iterations 5 --engine reference --quiet'.split(' ');

if (!chromiumHere) console.log(chromiumAbsent);

describe.skipIf(!chromiumHere)('the dashboard, in Chromium', () => {
  let shown: Dashboard;
  let page: Page;
  beforeAll(async () => {
    const { code, stderr } = await lca(['run', 'mnist-fc-sgd', ...size, '--out', at('mnist')]);
    expect(code, stderr).toBe(0);
    await completeRun(at('made'), smallManifest(4));
    await completeRun(at('layers'), smallManifest(4, { keep: 'layers' }));
    shown = await openDashboard(names.map((name) => ({ name, folder: at(name) })));
    ({ page } = shown);
  });
  afterAll(() => shown.close());

  const shownMicroscope = () => page.waitForSelector('.microscope[data-busy=false]:not([data-latency="0"])');
  const where = () => page.locator('footer .where b').first().textContent();
  const total = async () =>
    Number((await page.locator('[data-fact=total]').textContent())!.replace('−', '-'));

  it('opens on the whole run, whose figures are those of lca export', async () => {
    await shown.open();
    expect(await total()).toBeCloseTo(sum((await exported(at('mnist'), 'total')).flat()), 3);
    const rows = await exported(at('mnist'), 'layer_sums');
    const layers = await page.locator('[data-layer] .value').allTextContents();
    expect(layers.map((text) => Number(text.replace('−', '-')))).toEqual(
      rows[0]!.map((_, l) => Number(sum(column(rows, l)).toPrecision(3))),
    );
    expect(await page.title()).toBe('mnist – Overview – Lossledger');
  });

  it('moves its one cursor by keys, by the time bar and by playing, and keeps it in the address', async () => {
    await page.keyboard.press('Home');
    expect(await where()).toBe('0');
    await page.keyboard.press('ArrowRight');
    expect(await where()).toBe('1');
    await page.getByLabel('Iteration', { exact: true }).fill('3');
    expect(await where()).toBe('3');
    await page.waitForURL(/t=3/);
    await shown.open('#t=3&mode=instant');
    expect(await where()).toBe('3');
    expect(await total()).toBeCloseTo((await exported(at('mnist'), 'total')).flat()[3]!, 4);
    await page.keyboard.press('Home');
    await page.keyboard.press(' ');
    await shown.until(`document.querySelector('footer .where b').textContent === '4'`);
    await page.waitForSelector('[aria-label=Play]');
  });

  it('steps by epoch, of three iterations here', async () => {
    await page.getByLabel('One epoch back').click();
    expect(await where()).toBe('3');
    await page.keyboard.press('Shift+E');
    expect(await where()).toBe('0');
    await page.getByLabel('One epoch on').click();
    expect(await where()).toBe('3');
    expect(await page.locator('footer .where').textContent()).toContain('epoch 2');
    await page.keyboard.press('e');
    expect(await where()).toBe('4');
  });

  it.each([
    ['neurons', 'canvas[aria-label*="neurons over"]', ''],
    ['microscope', '.uplot .u-over', '&pins=p7'],
    ['overview', '[aria-label="Loss"] .chart', ''],
  ])('draws a window of time by a drag with Shift: %s', async (view, selector, rest) => {
    await shown.open(`#view=${view}&t=2${rest}`);
    await page.waitForSelector(selector);
    const box = (await page.locator(selector).first().boundingBox())!;
    const [at, y] = [(part: number) => box.x + part * box.width, box.y + box.height / 2];
    await page.mouse.move(at(0.3), y);
    await page.keyboard.down('Shift');
    await page.mouse.down();
    await page.mouse.move(at(0.5), y, { steps: 3 });
    await page.mouse.move(at(0.75), y, { steps: 3 });
    await page.mouse.up();
    await page.keyboard.up('Shift');
    await page.waitForURL(/mode=window&w=1-[34]/);
  });

  it('goes down to one weight: what is under the pointer is what is stored, and a click shows its curve', async () => {
    await shown.open('#view=microscope&t=2');
    await shownMicroscope();
    const box = (await page.locator('canvas.marks').boundingBox())!;
    await page.mouse.move(box.x + 60, box.y + 60);
    await page.waitForSelector('[data-inspect] [data-name]');
    const name = (await page.locator('[data-inspect] [data-name]').textContent())!;
    const [, row, col] = /fc1\.weight\[(\d+), (\d+)\]/.exec(name)!;
    const index = 784 * Number(row) + Number(col);
    const curve = column(await exported(at('mnist'), 'allocation'), index);
    const soFar = sum(curve.slice(0, 3));
    expect(await shown.numberAt('[data-inspect] .value', 'data-value')).toBeCloseTo(soFar, 9);
    await page.mouse.click(box.x + 60, box.y + 60);
    await page.waitForSelector('[data-pins] [data-value]');
    expect(await shown.numberAt('[data-pins] b', 'data-value')).toBeCloseTo(soFar, 9);
    await page.getByRole('button', { name: 'This iteration' }).click();
    await shown.until(
      `Math.abs(Number(document.querySelector('[data-pins] b').dataset.value) - (${curve[2]!})) < 1e-12`,
    );
    await page.waitForURL(new RegExp(`pins=p${index}`));
    const colours = await page.evaluate(`(() => {
      const canvas = document.querySelector('[data-heat]');
      const gl = canvas.getContext('webgl2');
      const pixels = new Uint8Array(4 * canvas.width * canvas.height);
      gl.readPixels(0, 0, canvas.width, canvas.height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
      return new Set(new Uint32Array(pixels.buffer)).size;
    })()`);
    expect(colours).toBeGreaterThan(20);
  });

  it('keeps in the address what is looked at and how, and in its place when a curve appears below', async () => {
    await shown.open('#view=microscope&t=2&scale=linear&strongest=1&range=0.001');
    await shownMicroscope();
    expect(await page.locator('aside').textContent()).toMatch(/−0\.0010.*Range is fixed/s);
    const middle = async () => {
      const box = (await page.locator('canvas.marks').boundingBox())!;
      await page.mouse.move(box.x + box.width / 2 + 30, box.y + box.height / 2);
      await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
      return page.locator('[data-inspect] [data-name]').textContent();
    };
    await middle();
    for (let k = 0; k < 8; k++) await page.mouse.wheel(0, -150);
    const name = await middle();
    await page.waitForURL(/at=\d+-/);
    await page.mouse.down();
    await page.mouse.up();
    await page.waitForSelector('.uplot canvas');
    expect(await middle()).toBe(name);
    await page.waitForURL(/pins=p/);
    const address = new URL(page.url()).hash;
    for (const part of ['scale=linear', 'strongest=1', 'range=0.001']) expect(address).toContain(part);
    await shown.open(address);
    await shownMicroscope();
    await page.waitForSelector('.uplot canvas');
    expect(await middle()).toBe(name);
    await page.getByLabel('Whole network').click();
    await shown.until(`!location.hash.includes('at=')`);
  });

  it.each(['webm', 'mp4'])(
    'makes an animation of the microscope as %s, which the browser plays',
    async (kind) => {
      await page.getByRole('button', { name: 'Up to here' }).click();
      const bytes = await savedBy(page, 'Save animation', kind);
      expect(kind === 'webm' ? bytes.subarray(0, 4).toString('hex') : bytes.subarray(4, 8).toString()).toBe(
        kind === 'webm' ? '1a45dfa3' : 'ftyp',
      );
      const blank = await page.context().browser()!.newPage();
      const found = await blank.evaluate<number[]>(`(async () => {
      const video = document.createElement('video');
      video.src = 'data:video/${kind};base64,${bytes.toString('base64')}';
      await new Promise((ready, fail) => { video.onloadeddata = ready; video.onerror = () => fail(video.error); });
      return [video.videoWidth, video.videoHeight, video.duration];
    })()`);
      await blank.close();
      expect(found.slice(0, 2)).toEqual([1280, 720]);
      expect(found[2]).toBeCloseTo(5 / 15, 1);
    },
  );

  it('lists every parameter in the ledger book, sorted and searched, and saves it as CSV', async () => {
    await shown.open('#view=book&by=parameter');
    await page.waitForSelector('[data-total]');
    const rows = await exported(at('mnist'), 'allocation');
    const sums = rows[0]!.map((_, k) => sum(column(rows, k)));
    await shown.until(`document.querySelector('[role=table]').ariaRowCount === '84061'`);
    const least = sums.reduce((found, value) => Math.min(found, value));
    expect(await shown.numberAt('[data-total]', 'data-total')).toBeCloseTo(least, 9);
    await page.getByLabel('Search names').fill('fc3.bias');
    await shown.until(`document.querySelector('[role=table]').ariaRowCount === '11'`);
    await page.getByRole('button', { name: 'parameter', exact: true }).click();
    await page.waitForURL(/sort=name/);
    const lines = (await savedBy(page, 'Save Ledger book', 'csv')).toString().trim().split('\n').slice(1);
    const saved = lines.map((line) => Number(line.split(/,(?! )/)[1])).sort((a, b) => a - b);
    const biases = sums.slice(-10).sort((a, b) => a - b);
    saved.forEach((value, k) => { expect(value).toBeCloseTo(biases[k]!, 9); }); // prettier-ignore
    expect(saved.length).toBe(10);
  });

  it('saves panels as drawings and pictures', async () => {
    await shown.open('#view=overview');
    expect((await savedBy(page, 'Save Loss', 'svg')).toString()).toMatch(
      /^<svg.*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/,
    );
    expect((await savedBy(page, 'Save Loss', 'png')).subarray(1, 4).toString()).toBe('PNG');
  });

  it('compares runs with one cursor, and says in what they differ', async () => {
    await shown.open('#view=compare&t=2');
    await shown.until(
      `document.querySelectorAll('[data-layers] tbody tr:first-child td[data-total]').length >= 2`,
    );
    const cells = page.locator('[data-layers] tbody tr:first-child td[data-total]');
    const totals = await cells.evaluateAll((all) =>
      all.map((cell) => Number(cell.getAttribute('data-total'))),
    );
    for (const [k, run] of ['mnist', 'made'].entries())
      expect(totals[k]).toBeCloseTo(sum(column(await exported(at(run), 'layer_sums'), 0).slice(0, 3)), 9);
    expect(await page.locator('.warning').first().textContent()).toContain('of train cannot be compared');
    const differs = await page.locator('[data-differences] tbody tr').allTextContents();
    expect(differs).toContainEqual(expect.stringMatching(/^data set ?losses ?mnist ?made/));
    // Runs that differ by more than seeds are no repeats, over which there is a mean.
    expect(await page.locator('[data-layers] thead').textContent()).not.toContain('mean');
    await page.selectOption('[aria-label=Objective]', 'validation');
    await shown.until(`document.querySelector('main').textContent.includes('made is not shown: has no objective validation')`); // prettier-ignore
  });

  it('shows what is left of runs that kept layers only', async () => {
    await shown.open('#run=2&view=microscope');
    await shownMicroscope();
    expect(await page.locator('.microscope').textContent()).toContain('kept layers only');
    await page.keyboard.press('3');
    await shown.until(`document.querySelector('main').textContent.includes('--keep layers')`);
  });

  const screens = [
    ['overview', '[data-fact=total]'], ['microscope', '.microscope[data-busy=false]'], ['neurons', '[data-hovered]'],
    ['moments', '[aria-label="Moments of learning"] svg'], ['book', '[data-total]'], ['compare', '[data-layers]'],
  ] as const; // prettier-ignore
  it.each([[360, 'light'], [1280, 'light'], [1280, 'dark']] as const)('fits %i pixels, and axe-core finds nothing serious (%s)', async (width, colorScheme) => {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 900 });
    await shown.open();
    for (const [k, [view, selector]] of screens.entries()) {
      await page.keyboard.press(String(k + 1));
      await page.waitForSelector(selector);
      expect(await page.evaluate('document.documentElement.scrollWidth'), view).toBeLessThanOrEqual(width);
      await page.screenshot({ path: join(pictures, `${view}-${width}-${colorScheme}.png`) });
      expect(await seriousFaults(page), view).toEqual([]);
    }
  }); // prettier-ignore

  it('fits a screen of 3840 pixels', async () => {
    await page.setViewportSize({ width: 3840, height: 1600 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(3840);
    expect(await page.evaluate('getComputedStyle(document.documentElement).fontSize')).toBe('18px');
  });

  it('weighs less than 500 kB, all that is loaded later included, and names whose code it has', () => {
    const assets = join(builtPage, 'assets');
    const weight = sum(readdirSync(assets).map((name) => gzipSync(readFileSync(join(assets, name))).length));
    expect(weight).toBeGreaterThan(50_000);
    expect(weight).toBeLessThan(500_000);
    const licences = readFileSync(join(builtPage, 'LICENSES.txt'), 'utf8');
    for (const name of ['svelte', 'uplot', 'mediabunny', 'd3-scale', 'zod'])
      expect(licences).toMatch(new RegExp(`^${name} \\d`, 'm'));
  });

  it('complained of nothing and asked nobody else', () => {
    expect(shown.foreign).toEqual([]);
    expect(ownComplaints(shown.complaints)).toEqual([]);
  });
});
