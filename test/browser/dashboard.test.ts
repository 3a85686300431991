import { createRequire } from 'node:module';
import { appendFileSync, mkdirSync, readFileSync, statSync, writeFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layoutOf } from '../../src/ledger/layout.js';
import { createRunFolder, resumeRun } from '../../src/store/open.js';
import { type Served, serveRuns } from '../../src/server/serve.js';
import { chromiumAbsent, chromiumHere, launchChromium, watchedPage } from '../support/chromium.js';
import { lca, temporaryFolder } from '../support/cli.js';
import { completeRun, segmentOf, smallManifest, train } from '../support/run-folder.js';

const root = resolve(import.meta.dirname, '../..');
const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const hostileText = '<img src=x onerror="document.title=`taken`">';

/** In the order in which they are served. */
const names = ['mnist', 'again', 'layers', 'empty', 'broken', 'huge', 'live', hostileText] as const;

const known = new Map<string, Promise<number[][]>>();

/** Numbers that lca export gives, as rows; asked for once. */
function exported(run: string, ...args: readonly string[]): Promise<number[][]> {
  const key = [run, ...args].join(' ');
  const rows = known.get(key) ?? exportRows(run, args);
  known.set(key, rows);
  return rows;
}

async function exportRows(run: string, args: readonly string[]): Promise<number[][]> {
  const { code, stdout, stderr } = await lca([
    'export',
    at(run),
    '--objective',
    'train',
    '--format',
    'json',
    ...args,
  ]);
  expect(code, stderr).toBe(0);
  return (JSON.parse(stdout) as { rows: number[][] }).rows;
}

const column = (rows: readonly (readonly number[])[], k: number) => rows.map((row) => row[k]!);
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

/** Runs of all kinds: a real one twice with other seeds, and made-up ones that are coarse, empty, broken, huge, growing, hostile. */
async function makeRuns(): Promise<void> {
  const small = '--subset 120 --batch-size 20 --chunk 40 --iterations 5 --engine reference --quiet'.split(
    ' ',
  );
  for (const [seed, name] of [[1, 'mnist'], [2, 'again']] as const) {
    const args = ['run', 'mnist-fc-sgd', ...small, '--seed', String(seed)];
    const { code, stderr } = await lca([...args, '--out', at(name)]);
    expect(code, stderr).toBe(0);
  } // prettier-ignore
  await completeRun(at('layers'), smallManifest(4, { keep: 'layers' }));
  const content = smallManifest(6);
  for (const name of ['empty', 'live']) {
    const run = await createRunFolder(at(name), content);
    await train(run, content);
    await run.flush();
    await run.close();
  }
  await completeRun(at('broken'), smallManifest(3));
  appendFileSync(at('broken/manifest.json'), ' ');
  mkdirSync(at('huge'));
  const manifest = JSON.parse(readFileSync(at('layers/manifest.json'), 'utf8')) as {
    parameters: { size: number; shape: number[] }[];
  };
  Object.assign(manifest.parameters[0]!, { size: 2.5e9, shape: [2.5e9] });
  writeFileSync(at('huge/manifest.json'), JSON.stringify(manifest));
  const tensors = [{ name: `${hostileText}.weight`, shape: [3, 2], layer: hostileText, neuronAxis: 0 }];
  const layout = layoutOf(tensors);
  await completeRun(at('hostile'), smallManifest(4, {
    parameters: layout.tensors.map((tensor) => ({ ...tensor, shape: [...tensor.shape] })),
    layers: [{ name: hostileText, neurons: 3 }],
    objectives: [{ name: 'train', parts: [{ name: hostileText, examples: 60 }, { name: '"><script>document.title=`taken`</script>', examples: 40 }] }],
  })); // prettier-ignore
}

if (!chromiumHere) console.log(chromiumAbsent);

describe.skipIf(!chromiumHere)('the dashboard, in Chromium', () => {
  let browser: Browser;
  let served: Served;
  let page: Page;
  let complaints: string[];
  const foreign: string[] = [];

  beforeAll(async () => {
    await makeRuns();
    const runs = names.map((name) => ({ name, folder: at(name === hostileText ? 'hostile' : name) }));
    served = await serveRuns({ page: join(root, 'dist/dashboard'), runs });
    browser = await launchChromium();
    ({ page, complaints } = await watchedPage(browser));
    page.on('response', (response) => {
      if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
    });
    page.on('request', (request) => {
      if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(served.url))
        foreign.push(request.url());
    });
    await page.setViewportSize({ width: 1280, height: 900 });
  });
  afterAll(async () => {
    await browser.close();
    await served.close();
  });

  /** Opens the page anew at an address, and waits until something is shown. */
  async function open(hash = ''): Promise<void> {
    await page.goto('about:blank');
    await page.goto(`${served.url}${hash}`);
    await page.waitForSelector('[data-ready=true]');
  }
  /** Waits until an expression holds in the page, whose policy lets nothing be evaluated there by itself. */
  const until = (expression: string) =>
    expect.poll(() => page.evaluate<boolean>(expression), { timeout: 30_000 }).toBe(true);
  const numberAt = async (selector: string, name: string) =>
    Number(await page.locator(selector).first().getAttribute(name));
  const shownMicroscope = () => page.waitForSelector('.microscope[data-busy=false]:not([data-latency="0"])');

  it('opens on the whole run, whose figures are those of lca export', async () => {
    await open();
    const total = sum((await exported('mnist', '--what', 'total')).flat());
    const shown = (await page.locator('[data-fact=total]').textContent())!.replace('−', '-');
    expect(Number(shown)).toBeCloseTo(total, 3);
    const rows = await exported('mnist', '--what', 'layer_sums');
    const layers = await page.locator('[data-layer] .value').allTextContents();
    expect(layers.map((text) => Number(text.replace('−', '-')))).toEqual(
      rows[0]!.map((_, l) => Number(sum(column(rows, l)).toPrecision(3))),
    );
    expect(await page.title()).toBe('mnist – Lossledger');
  });

  it('moves its one cursor by keys, by the time bar and by playing, and keeps it in the address', async () => {
    const where = () => page.locator('footer .where b').first().textContent();
    await page.keyboard.press('Home');
    expect(await where()).toBe('0');
    await page.keyboard.press('ArrowRight');
    expect(await where()).toBe('1');
    await page.getByLabel('Iteration', { exact: true }).fill('3');
    expect(await where()).toBe('3');
    await page.waitForURL(/t=3/);
    await open('#t=3&mode=instant');
    expect(await where()).toBe('3');
    const [, , , third] = (await exported('mnist', '--what', 'total')).flat();
    expect(Number((await page.locator('[data-fact=total]').textContent())!.replace('−', '-'))).toBeCloseTo(
      third!,
      4,
    );
    await page.keyboard.press('Home');
    await page.keyboard.press(' ');
    await until(`document.querySelector('footer .where b').textContent === '4'`);
    await page.waitForSelector('[aria-label=Play]');
  });

  it('goes down to one weight: what is under the pointer is what is stored, and a click shows its curve', async () => {
    await open('#view=microscope&t=2');
    await shownMicroscope();
    const box = (await page.locator('canvas.marks').boundingBox())!;
    await page.mouse.move(box.x + 60, box.y + 60);
    await page.waitForSelector('[data-inspect] [data-name]');
    const name = (await page.locator('[data-inspect] [data-name]').textContent())!;
    const [, row, col] = /fc1\.weight\[(\d+), (\d+)\]/.exec(name)!;
    const index = 784 * Number(row) + Number(col);
    const rows = await exported('mnist', '--what', 'allocation');
    const curve = column(rows, index);
    expect(await numberAt('[data-inspect] .value', 'data-value')).toBeCloseTo(sum(curve.slice(0, 3)), 9);
    await page.mouse.click(box.x + 60, box.y + 60);
    await page.waitForSelector('[data-pins] [data-value]');
    expect(await numberAt('[data-pins] b', 'data-value')).toBeCloseTo(sum(curve.slice(0, 3)), 9);
    await page.getByRole('button', { name: 'This iteration' }).click();
    await until(
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

  it('lists every parameter in the ledger book, sorted and searched, and saves it as CSV', async () => {
    await open('#view=book&by=parameter');
    await page.waitForSelector('[data-total]');
    const rows = await exported('mnist', '--what', 'allocation');
    const sums = rows[0]!.map((_, k) => sum(column(rows, k)));
    await until(`document.querySelector('[role=table]').ariaRowCount === '84061'`);
    expect(await numberAt('[data-total]', 'data-total')).toBeCloseTo(
      sums.reduce((least, value) => Math.min(least, value)),
      9,
    );
    await page.getByLabel('Search names').fill('fc3.bias');
    await until(`document.querySelector('[role=table]').ariaRowCount === '11'`);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByLabel('Save Ledger book').selectOption('csv'),
    ]);
    const lines = readFileSync(await download.path(), 'utf8')
      .trim()
      .split('\n')
      .slice(1);
    const saved = lines.map((line) => Number(line.split(/,(?! )/)[1])).sort((a, b) => a - b);
    const biases = sums.slice(-10).sort((a, b) => a - b);
    saved.forEach((value, k) => { expect(value).toBeCloseTo(biases[k]!, 9); }); // prettier-ignore
    expect(saved.length).toBe(10);
  });

  it('saves panels as drawings and pictures', async () => {
    await open('#view=overview');
    const saved = async (kind: string) => {
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByLabel('Save Loss').selectOption(kind),
      ]);
      return readFileSync(await download.path());
    };
    expect((await saved('svg')).toString()).toMatch(/^<svg.*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    expect((await saved('png')).subarray(1, 4).toString()).toBe('PNG');
  });

  it('compares runs with one cursor, and says in what they differ', async () => {
    await open('#view=compare&t=2');
    await page.waitForSelector('[data-layers] td[data-total]');
    await until(`document.querySelectorAll('[data-layers] tbody tr:first-child td[data-total]').length >= 3`);
    const cells = await page
      .locator('[data-layers] tbody tr:first-child td[data-total]')
      .evaluateAll((all) => all.map((cell) => Number(cell.getAttribute('data-total'))));
    for (const [k, run] of ['mnist', 'again'].entries()) {
      expect(cells[k]).toBeCloseTo(
        sum(column(await exported(run, '--what', 'layer_sums'), 0).slice(0, 3)),
        9,
      );
    }
    expect(await page.locator('.warning').first().textContent()).toContain('not comparable');
  });

  it.each([
    ['neurons', '[data-hovered]'], ['moments', '[aria-label="Moments of learning"] svg'],
  ])('shows %s', async (view, selector) => {
    await open(`#view=${view}`);
    await page.waitForSelector(selector);
  }); // prettier-ignore

  it('shows what is left of runs that kept layers only', async () => {
    await open('#run=2&view=microscope');
    await shownMicroscope();
    expect(await page.locator('.microscope').textContent()).toContain('kept layers only');
    await page.keyboard.press('3');
    await until(`document.querySelector('main').textContent.includes('--keep layers')`);
  });

  it.each([
    ['empty', 3, '[data-empty]', /lca resume empty/],
    ['broken', 4, '[data-problem]', /was changed after the run began/],
    ['huge', 5, '[data-problem]', /2,500,00\d,\d+ parameters; a page holds at most/],
  ])('has a screen for a run that is %s', async (_, run, selector, text) => {
    await open(`#run=${run}`);
    await page.waitForSelector(selector);
    expect(await page.locator(selector).textContent()).toMatch(text);
  });

  it('follows a run in progress, fetching only what is new of its journal', async () => {
    await open('#run=6');
    await page.waitForSelector('[data-empty]');
    const content = smallManifest(6);
    const run = await resumeRun(at('live'));
    for (let segment = 0; segment < 3; segment++) await run.commitSegment(segmentOf(content, segment));
    await run.flush();
    await page.waitForSelector('[data-live]');
    await until(`document.querySelector('[data-live]').textContent.includes('3 of 6')`);
    const size = statSync(at('live/journal')).size;
    const ranges: number[] = [];
    page.on('request', (request) => {
      if (request.url().endsWith('runs/6/journal'))
        ranges.push(Number(/bytes=(\d+)/.exec(request.headers()['range'] ?? '')?.[1]));
    });
    for (let segment = 3; segment < 6; segment++) await run.commitSegment(segmentOf(content, segment));
    await run.flush();
    await run.close();
    await until(
      `document.querySelector('footer .where').textContent.includes('of 6') && !document.querySelector('[data-live]')`,
    );
    expect(Math.min(...ranges)).toBe(size - 1);
    expect(await page.locator('footer .where b').first().textContent()).toBe('5');
  });

  it('runs no script that hides in names', async () => {
    await open('#run=7');
    for (const key of ['1', '2', '3', '4', '5', '6']) {
      await page.keyboard.press(key);
      await page.waitForTimeout(150);
    }
    expect(await page.title()).toBe(`${hostileText} – Lossledger`);
    expect(await page.locator('img').count()).toBe(0);
  });

  it.each([[360, 'light'], [1280, 'dark']] as const)('fits %i pixels, and axe-core finds nothing serious (%s)', async (width, colorScheme) => {
    const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 900 });
    await open();
    await page.evaluate(axe);
    for (const [k, view] of ['overview', 'microscope', 'neurons', 'moments', 'book', 'compare'].entries()) {
      await page.keyboard.press(String(k + 1));
      await page.waitForTimeout(300);
      expect(await page.evaluate('document.documentElement.scrollWidth'), view).toBeLessThanOrEqual(width);
      const found = await page.evaluate(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
        violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => id + ': ' + nodes[0].html.slice(0, 200)))`);
      expect(found, view).toEqual([]);
    }
  }); // prettier-ignore

  it('fits a screen of 3840 pixels', async () => {
    await page.setViewportSize({ width: 3840, height: 1600 });
    await open();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(3840);
    expect(await page.evaluate('getComputedStyle(document.documentElement).fontSize')).toBe('18px');
  });

  it('weighs less than 500 kB', () => {
    const assets = join(root, 'dist/dashboard/assets');
    const weight = sum(readdirSync(assets).map((name) => gzipSync(readFileSync(join(assets, name))).length));
    expect(weight).toBeGreaterThan(50_000);
    expect(weight).toBeLessThan(500_000);
  });

  it('complained of nothing and asked nobody else', () => {
    expect(foreign).toEqual([]);
    expect(
      complaints.filter((text) => !text.startsWith('failed: ') && !/GPU stall|GL Driver Message/.test(text)),
    ).toEqual([]);
  });
});
