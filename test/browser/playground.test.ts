import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toyLoss, toySlopes } from '../../src/analysis/index.js';
import { differentiate } from '../../src/autodiff/index.js';
import { referenceEngine } from '../../src/engines/reference/index.js';
import { attachLoss, GraphBuilder } from '../../src/graph/index.js';
import { measureTrajectory } from '../../src/ledger/index.js';
import { writeSite } from '../../src/server/site.js';
import { chromiumAbsent, chromiumHere, launchChromium, watchedPage } from '../support/chromium.js';
import { temporaryFolder } from '../support/cli.js';
import { serveFolder, type WebFolder } from '../support/web.js';

const simpson = { rule: 'simpson', tolerance: null } as const;

/** Loss and gradient of the network that the page says it has, over points. */
async function networkOn(points: readonly number[][]) {
  const builder = new GraphBuilder('again');
  let value = builder.input('x', 'float32', [points.length, 2]);
  for (const [layer, [inputs, outputs]] of Object.entries({ fc1: [2, 6], fc2: [6, 4], fc3: [4, 2] })) {
    if (layer !== 'fc1') value = builder.apply('Tanh', [value]);
    const own = { layer, neuronAxis: 0, initializer: { kind: 'zeros' } } as const;
    const weight = builder.parameter(`${layer}.weight`, [outputs!, inputs!], own);
    value = builder.apply('Gemm', [value, weight, builder.parameter(`${layer}.bias`, [outputs!], own)], { transB: 1 }); // prettier-ignore
  }
  const graph = differentiate(attachLoss(builder.build([value]), { loss: 'softmaxCrossEntropy' }));
  const program = await referenceEngine.compile(graph);
  const x = Float32Array.from(points.flatMap(([a, b]) => [a!, b!]));
  const labels = Int32Array.from(points, ([, , label]) => label!);
  return async (theta: Float64Array) => {
    program.load(theta);
    const gradient = new Float64Array(theta.length);
    const loss = (await program.run({ x, labels }, gradient)) / points.length;
    return { loss, gradient: gradient.map((each) => each / points.length) };
  };
}

if (!chromiumHere) console.log(chromiumAbsent);

describe.skipIf(!chromiumHere)('the playground, from a static host, in Chromium', () => {
  let browser: Browser;
  let web: WebFolder;
  let page: Page;
  let complaints: string[];
  beforeAll(async () => {
    const site = join(temporaryFolder(), 'site');
    await writeSite(resolve(import.meta.dirname, '../../dist/dashboard'), [], site);
    web = await serveFolder(site);
    browser = await launchChromium();
    ({ page, complaints } = await watchedPage(browser));
    await page.goto(`${web.address}/index.html`);
    await page.waitForSelector('[data-playground]');
  });
  afterAll(async () => {
    await browser.close();
    await web.close();
  });

  /** A panel's numbers as it saves them, without the header and names. */
  async function saved(panel: string): Promise<number[][]> {
    const save = page.getByLabel(`Save ${panel}`, { exact: true });
    const [download] = await Promise.all([page.waitForEvent('download'), save.selectOption('csv')]);
    const lines = readFileSync(await download.path(), 'utf8')
      .trim()
      .split('\n')
      .slice(1);
    return lines.map((line) =>
      line
        .replace(/^"[^"]*",|^[a-z][^,]*,/, '')
        .split(',')
        .map(Number),
    );
  }
  const fact = async (name: string) => Number(await page.locator(`[${name}]`).first().getAttribute(name));
  const steps = (count: number) => page.waitForSelector(`[data-steps="${count}"]`);

  it('takes a step by keyboard, whose allocations and errors are those of the library', async () => {
    await page.getByLabel('Momentum').fill('0.9');
    const points = await saved('Points');
    const before = (await saved('Network, trained here')).map(([value]) => value!);
    await page.locator('h1').first().click();
    await page.keyboard.press('ArrowRight');
    await steps(1);
    const after = await saved('Network, trained here');
    expect([points.length, before.length]).toEqual([120, 56]);
    const evaluate = await networkOn(points);
    const theta = [before, after.map(([value]) => value!)].map((row) => Float32Array.from(row));
    const measured = await measureTrajectory({ theta, evaluate, settings: simpson }).next();
    if (measured.done) throw new Error('no segment was measured');
    const row = measured.value;
    after.forEach(([, allocation], k) => { expect(allocation).toBeCloseTo(row.allocation[k]!, 12); }); // prettier-ignore
    expect(await fact('data-residual')).toBeCloseTo(Number(row.residual), 12);
    expect(await fact('data-first-order')).toBeCloseTo(Number(row.left_residual), 12);
    expect(Math.abs(await fact('data-first-order'))).toBeGreaterThan(100 * Math.abs(await fact('data-residual')));
    const colours = await page.locator('[data-edge]').evaluateAll((edges) => edges.map((edge) => edge.getAttribute('stroke')));
    expect(new Set(colours).size).toBeGreaterThan(10);
  }); // prettier-ignore

  it('trains, and its two accounts differ by what the steps leave over', async () => {
    await page.keyboard.press(' ');
    await expect.poll(() => fact('data-steps'), { timeout: 60_000 }).toBeGreaterThan(12);
    await page.keyboard.press(' ');
    await page.waitForTimeout(100);
    const rows = await saved('Two accounts of the loss');
    expect(rows.length).toBe(await fact('data-steps'));
    const total = (k: number) => rows.reduce((sum, row) => sum + row[k]!, 0);
    expect(await fact('data-account-first')).toBeCloseTo(total(3), 12);
    expect(await fact('data-account-simpson')).toBeCloseTo(total(4), 12);
    rows.slice(1).forEach((row, t) => { expect(row[1]).toBe(rows[t]![2]); }); // prettier-ignore
  });

  it('goes down the surface of two parameters as gradient descent does', async () => {
    await page.getByLabel('Momentum').fill('0');
    await page.getByLabel('Learning rate').fill('-0.5');
    const rate = Number((10 ** -0.5).toPrecision(3));
    const theta = [Float32Array.of(-2.4, 1.6)];
    for (let t = 0; t < 24; t++) {
      const [x, y] = theta[t]!;
      const [gx, gy] = toySlopes(x!, y!);
      theta.push(Float32Array.of(x! - rate * gx, y! - rate * gy));
    }
    const evaluate = ([x, y]: Float64Array) => ({ loss: toyLoss(x!, y!), gradient: Float64Array.from(toySlopes(x!, y!)) });
    let first = 0;
    for await (const row of measureTrajectory({ theta, evaluate, settings: simpson })) first += Number(row.left_residual);
    await expect.poll(() => fact('data-surface-first')).toBeCloseTo(first, 10);
    expect(Math.abs(await fact('data-surface-simpson'))).toBeLessThan(1e-12);
  }); // prettier-ignore

  it('says so where training runs away, and begins anew', async () => {
    await page.getByLabel('Learning rate').fill('0.5');
    await page.getByLabel('Momentum').fill('0.95');
    await page.waitForSelector('text=The path leaves the picture');
    await page.getByRole('button', { name: 'Begin anew' }).click();
    await steps(0);
    await page.getByLabel('Data set', { exact: true }).selectOption('spirals');
    await page.getByRole('button', { name: 'One step' }).click();
    await steps(1);
    expect(new Set((await saved('Points')).map(([, , label]) => label))).toEqual(new Set([0, 1]));
  });

  it.each([[360, 'light'], [1280, 'dark']] as const)('fits %i pixels, and axe-core finds nothing serious (%s)', async (width, colorScheme) => {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 900 });
    await page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    const found = await page.evaluate(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
      violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => id + ': ' + nodes[0].html.slice(0, 200)))`);
    expect(found).toEqual([]);
  }); // prettier-ignore

  it('complained of nothing, and asked its own host alone', () => {
    expect(complaints).toEqual([]);
    expect(web.answered.map(({ status }) => status).filter((status) => status >= 400)).toEqual([]);
  });
});
