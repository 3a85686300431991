import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunConfigInput } from '../../src/experiment/config/schema.js';
import { auditObjective } from '../../src/analysis/index.js';
import { GraphBuilder } from '../../src/graph/builder.js';
import { writeOnnx } from '../../src/onnx/index.js';
import { openRun } from '../../src/store/open.js';
import { chromiumAbsent, chromiumHere } from '../support/chromium.js';
import { temporaryFolder } from '../support/cli.js';
import { type Dashboard, openDashboard, ownComplaints } from '../support/dashboard.js';
import { npzFile } from '../support/npz.js';
import { randomFrom } from '../support/samples.js';
import { exportedRows, wholeRun } from '../support/whole-run.js';

const folder = temporaryFolder();
const [examples, width, classes] = [24, 3, 3];
const [iterations, layersOfDeep] = [6, 300];
const random = randomFrom(5);

/** Dense layers of three neurons, and examples of three classes whose first number is always 0. */
function writeNetwork(name: string, depth: number): { model: string; data: string } {
  mkdirSync(join(folder, name));
  const builder = new GraphBuilder(name);
  let h = builder.input('x', 'float32', [1, width]);
  const theta: number[] = [];
  for (let l = 1; l <= depth; l++) {
    const layer = `${name === 'checkpoints' ? 'a.module.of.a.long.name.' : ''}l${l}`;
    const weight = builder.parameter(`${layer}.weight`, [width, width], { layer, neuronAxis: 0, initializer: { kind: 'zeros' } });
    for (let k = 0; k < width * width; k++) theta.push((k % (width + 1) === 0 ? 1 : 0) + 0.1 * (random() - 0.5));
    h = builder.apply('Gemm', [h, weight], { transB: 1 });
    if (l < depth) h = builder.apply('Tanh', [h]);
  }
  const [model, data] = [join(folder, name, 'model.onnx'), join(folder, name, 'data.npz')];
  writeFileSync(model, writeOnnx(builder.build([h]), Float32Array.from(theta)));
  const x = Float32Array.from({ length: examples * width }, (_, k) => (k % width === 0 ? 0 : random() - 0.5));
  const y = Int32Array.from({ length: examples }, (_, k) => k % classes);
  writeFileSync(data, npzFile({ x: { data: x, shape: [examples, width] }, y: { data: y, shape: [examples] } }));
  return { model, data };
} // prettier-ignore

/** A run of five rows of θ that are unevenly far apart. */
async function checkpointRun(): Promise<string> {
  const { model, data } = writeNetwork('checkpoints', 2);
  const theta = Float32Array.from({ length: 5 * 2 * width * width }, () => random() - 0.5);
  const trajectory = join(folder, 'checkpoints', 'trajectory.npz');
  const iteration = Int32Array.of(0, 5, 50, 200, 400);
  writeFileSync(trajectory, npzFile({ theta: { data: theta, shape: [5, theta.length / 5] }, iteration: { data: iteration, shape: [5] } }));
  const run = join(folder, 'checkpoints-run');
  await wholeRun(run, { model, data, trajectory, divisor: 1, engine: 'reference', tolerance: null });
  return run;
} // prettier-ignore

const settings: RunConfigInput = {
  divisor: 1, engine: 'reference', batchSize: 6, iterations, learningRate: 0.3, parts: ['class'], tolerance: null,
}; // prettier-ignore

if (!chromiumHere) console.log(chromiumAbsent);

describe.skipIf(!chromiumHere)('the dashboard on runs with classes and with many layers, in Chromium', () => {
  let shown: Dashboard;
  let page: Page;
  /** [T][classes · layers], one class after the other, by objective. */
  const sums = new Map<string, Float64Array[]>();
  let loss: Float64Array[];
  const balances: string[] = [];
  /** Of the run: counts by layer [T][layers]. */
  const counts = new Map<string, Float64Array[]>();
  beforeAll(async () => {
    const [divided, deep] = [join(folder, 'divided-run'), join(folder, 'deep-run')];
    const reader = await wholeRun(divided, { ...settings, ...writeNetwork('divided', 2), validation: 9, certify: 0, rule: 'trapezoid', learningRate: 4 });
    for (const objective of ['train', 'validation']) {
      const own = await Promise.all(Array.from({ length: classes }, (_, part) => exportedRows(reader, { what: 'allocation', objective, part: String(part), entity: 'layer' })));
      sums.set(objective, own[0]!.map((_, t) => Float64Array.from(own.flatMap((rows) => [...rows[t]!]))));
    }
    for (const what of ['helping', 'hurting', 'zero', 'undetermined'] as const) counts.set(what, await exportedRows(reader, { what, objective: 'train' }));
    loss = await exportedRows(reader, { what: 'loss', objective: 'train' });
    await wholeRun(deep, { ...settings, ...writeNetwork('deep', layersOfDeep), iterations: 3, rule: 'trapezoid' });
    const runs = [divided, deep, await checkpointRun()];
    for (const run of runs) balances.push(auditObjective(await (await openRun(run)).view(), 'train').balance);
    shown = await openDashboard(runs.map((run, k) => ({ name: ['divided', 'deep', 'checkpoints'][k]!, folder: run })));
    ({ page } = shown);
  }); // prettier-ignore
  afterAll(() => shown.close());

  it.each(['train', 'validation'])('reads out sums by class and layer of %s as the run holds them', async (objective) => {
    await shown.open(`#run=0&view=neurons&objective=${objective}`);
    const picture = page.locator('canvas[aria-label="Allocation of parts and layers over iterations"]');
    await picture.scrollIntoViewIfNeeded();
    const { x, y, width: wide, height } = (await picture.boundingBox())!;
    for (let t = 0; t < iterations; t++) {
      for (let row = 0; row < 2 * classes; row++) {
        await page.mouse.move(x + ((t + 0.5) * wide) / iterations, y + ((row + 0.5) * height) / (2 * classes));
        const [layer, part] = [Math.floor(row / classes), row % classes];
        const text = (await page.locator('[data-hovered]').nth(1).textContent())!;
        expect(text).toContain(`l${layer + 1}, class ${part}, iteration ${t}: `);
        const value = Number(text.split(': ').at(-1)!.split(' ')[0]!.replaceAll('−', '-'));
        expect(value / sums.get(objective)![t]![part * 2 + layer]!, text).toBeCloseTo(1, 1.9);
      }
    }
    expect(ownComplaints(shown.complaints)).toEqual([]);
    expect(await page.locator('[data-hovered]').first().textContent()).toBe('Point at a neuron to read it.');
    await page.locator('canvas[aria-label^="Allocation of 6 neurons"]').hover();
    expect(await page.locator('[data-hovered]').nth(1).textContent()).toBe('Point at a part of a layer to read it.');
    expect(await page.locator('[data-hovered]').first().textContent()).toMatch(/^l\d\[\d\], iteration \d: /);
  }); // prettier-ignore

  it('goes back to the screen and run before, and follows an address written by hand', async () => {
    await shown.open('#run=0');
    const screen = () => page.locator('nav [aria-pressed=true]').textContent();
    await page.getByRole('button', { name: 'Neurons' }).click();
    await page.getByLabel('Run', { exact: true }).selectOption('2');
    await page.getByRole('button', { name: 'Ledger book' }).click();
    await shown.until(`location.hash.includes('view=book')`);
    await page.goBack();
    await expect.poll(screen).toBe('Neurons');
    await page.goBack();
    await shown.until(`document.title.startsWith('divided – Neurons')`);
    await page.goBack();
    await expect.poll(screen).toBe('Overview');
    await page.goForward();
    await expect.poll(screen).toBe('Neurons');
    // What is not a place of the run is passed over.
    await page.evaluate(`location.hash = '#run=2&view=book&t=2&mode=window&w=3-1&by=nothing&objective=none&pins=p999999.n77.l9'`);
    await shown.until(`document.title.startsWith('checkpoints – Ledger book')`);
    expect((await page.locator('.where').textContent())!.replace(/\s+/g, ' ')).toContain('iterations 0–5');
    await page.goBack();
    await expect.poll(screen).toBe('Neurons');
    expect(ownComplaints(shown.complaints)).toEqual([]);
  }); // prettier-ignore

  it('keeps to what is chosen while a run is read, and to what the screen before showed', async () => {
    let released = () => {};
    const held = new Promise<void>((resolve) => (released = resolve));
    const ofCheckpoints = '**/runs/2/**';
    await page.route(ofCheckpoints, async (route) => { await held; await route.continue(); });
    await shown.open('#run=0');
    await page.getByRole('slider').first().press('Home', { noWaitAfter: true });
    await page.getByLabel('Run', { exact: true }).selectOption('2');
    await page.getByText('Reading…').waitFor();
    await page.getByRole('button', { name: 'Ledger book' }).click();
    await page.getByLabel('Run', { exact: true }).selectOption('0');
    released();
    await shown.until(`document.title.startsWith('divided – Ledger book')`);
    await page.unroute(ofCheckpoints);
    await page.goBack();
    await shown.until(`document.title.startsWith('checkpoints')`);
    await page.goBack();
    await expect.poll(() => page.locator('.where').textContent()).toMatch(/iteration\s+0\s+of/);
  }); // prettier-ignore

  it('leaves a window that begins behind the end of a run, and moves the focus into help and back', async () => {
    await shown.open('#run=0&mode=window&w=500-600');
    expect((await page.locator('.where').textContent())!).toContain('of 6');
    await shown.open('#run=0&mode=window&w=5-6');
    await page.getByLabel('Run', { exact: true }).selectOption('1');
    await shown.until(`document.title.startsWith('deep')`);
    expect((await page.locator('.where').textContent())!).toContain('of 3');
    const opener = page.getByRole('button', { name: 'Keys and words' });
    await opener.focus();
    await page.keyboard.press('Enter');
    await shown.until(`document.activeElement.textContent === 'Close'`);
    await page.keyboard.press('Enter');
    await shown.until(`document.activeElement.getAttribute('aria-label') === 'Keys and words'`);
  });

  it('keeps lines of longer runs, and figures, within their panels where runs are compared', async () => {
    await shown.open('#run=1&view=compare');
    const chart = page.locator('svg[aria-label="Losses of runs over iterations"]');
    await chart.waitFor();
    expect(await chart.locator('[clip-path]').count()).toBeGreaterThan(0);
    const panels = await page.locator('.panel').all();
    for (const panel of panels) {
      const { x, width: wide } = (await panel.boundingBox())!;
      const region = panel.locator('[role=region]');
      if ((await region.count()) === 0) continue;
      const box = (await region.boundingBox())!;
      expect(box.x + box.width).toBeLessThanOrEqual(x + wide);
    }
  });

  it('goes to the segment under the pointer in curves that are pinned, where single ones hold and sums end', async () => {
    const where = async () => (await page.locator('.where').textContent())!.replace(/\s+/g, ' ').trim();
    // Rows of θ at 0, 5, 50, 200 and 400.
    for (const [mode, part, segment] of [['instant', 0.45, 'iterations 50–200'], ['cumulative', 0.3, 'iterations 5–50'], ['cumulative', 0.98, 'iterations 200–400']] as const) {
      await shown.open(`#run=2&view=microscope&pins=l0&mode=${mode}&t=0`);
      const over = page.locator('.uplot .u-over');
      await over.waitFor();
      const { width: wide, height } = (await over.boundingBox())!;
      await over.click({ position: { x: part * wide, y: height / 2 } });
      await expect.poll(where).toContain(segment);
    }
    // What is read of a value of a long name stays beside it.
    const sheet = (await page.locator('canvas.marks').boundingBox())!;
    await page.mouse.move(sheet.x + 40, sheet.y + 60);
    const inspect = page.locator('[data-inspect]');
    await inspect.locator('table').waitFor();
    expect(await inspect.evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0);
    const { x, width: own } = (await inspect.boundingBox())!;
    expect(x + own).toBeLessThanOrEqual(1280);
  }); // prettier-ignore

  it('warns of a ledger that does not balance, as the report does, and of no other', async () => {
    const found: boolean[] = [];
    for (const [k, balance] of balances.entries()) {
      await shown.open(`#run=${k}`);
      const warning = page.locator('[data-imbalance]');
      found.push((await warning.count()) > 0);
      expect(found[k]).toBe(balance === 'unbalanced');
      if (found[k]) expect(await warning.textContent()).toContain('does not balance');
    }
    expect(new Set(found).size).toBe(2);
  });

  it('states the loss at the end of a window', async () => {
    await shown.open('#run=0&mode=window&w=1-3&t=5');
    const text = (await page.locator('.where').textContent())!.replace(/\s+/g, ' ');
    expect(text).toContain('iterations 1–3');
    expect(Number(/loss ([\d.]+)/.exec(text)![1])).toBeCloseTo(loss[3]![0]!, 3);
    expect(loss[3]![0]!).not.toBeCloseTo(loss[6]![0]!, 3);
  });

  it('names both ends of a segment between checkpoints, and calls it one', async () => {
    await shown.open('#run=2&t=1');
    expect((await page.locator('.where').textContent())!.replace(/\s+/g, ' ')).toContain(
      'iterations 5–50 of 400',
    );
    expect(await page.locator('.panel').filter({ hasText: 'Layers over time' }).textContent()).toContain(
      'each segment',
    );
    const definition = (await page.locator('.panel').filter({ hasText: 'Definition' }).textContent())!;
    expect(definition).toContain('0 to 400, in 4 segments');
    expect(definition).toContain('not known: the trajectory was recorded');
    await page.getByRole('button', { name: 'This segment' }).click();
    await shown.open('#run=2&view=neurons');
    const neurons = page.locator('canvas[aria-label^="Allocation of 6 neurons"]');
    await neurons.hover({ position: { x: 2, y: 2 } });
    expect(await page.locator('[data-hovered]').first().textContent()).toMatch(
      /^a\.module\.of\.a\.long\.name\.l1\[0\], iterations 0–5: /,
    );
    await shown.open('#run=0&t=1');
    expect((await page.locator('.where').textContent())!.replace(/\s+/g, ' ')).toContain('iteration 1 of 6');
    expect(await page.locator('.panel').filter({ hasText: 'Layers over time' }).textContent()).toContain(
      'each iteration',
    );
  });

  it('states undetermined parameters of a layer as a share of those not exactly zero', async () => {
    await shown.open('#run=0&view=book&by=layer&sort=name');
    const over = (what: string) => counts.get(what)!.reduce((sum, row) => sum + row[0]!, 0);
    const share = over('undetermined') / (over('helping') + over('hurting'));
    expect(over('zero')).toBeGreaterThan(0);
    expect(share).toBeGreaterThan(0.01);
    const row = page.locator('.scroller [role=row]').first();
    await row.waitFor();
    const cells = await row.locator('[role=cell]').allTextContents();
    expect(cells[0]).toContain('l1');
    expect(parseFloat(cells.at(-1)!) / 100).toBeCloseTo(share, 3);
  });

  it('shows 300 layers with all neurons in the picture, names that do not touch and no lines that hide it', async () => {
    await shown.open('#run=1&view=neurons');
    const picture = page.locator('canvas[aria-label^="Allocation of 900 neurons"]');
    await picture.waitFor();
    const shownHeight = Math.round((await picture.boundingBox())!.height);
    await expect.poll(() => picture.getAttribute('height')).toBe(String(shownHeight));
    const raster = page.locator('.raster').first();
    const names = await raster.locator('li').all();
    expect(names.length).toBeGreaterThan(20);
    const boxes = await Promise.all(names.map(async (name) => (await name.boundingBox())!));
    for (let i = 1; i < boxes.length; i++) expect(boxes[i]!.y).toBeGreaterThanOrEqual(boxes[i - 1]!.y + boxes[i - 1]!.height - 1.5);
    expect(await raster.locator('.line').count()).toBe(0);
  }); // prettier-ignore
});
