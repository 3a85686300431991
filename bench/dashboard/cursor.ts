import type { Browser, Page } from 'playwright-core';
import { expectNumber, metricsOf } from './metrics.js';

/** Moves of the microscope's cursor and of its sheet: milliseconds from the event to the painted frame, and the main thread's processor for a step. */
export interface CursorMoves {
  readonly steps: readonly number[];
  /** From end to end, and to iterations all over the run; the first of them opens the journal. */
  readonly jumps: readonly number[];
  /** A window of time that begins or ends elsewhere. */
  readonly windows: readonly number[];
  /** From the whole network down to single weights. */
  readonly zooms: readonly number[];
  /** From a click on a weight until its whole curve is drawn. */
  readonly curves: readonly number[];
  readonly script: number;
  readonly tasks: number;
}

const stepCount = 20;

/** Does something, and waits until its frame is painted: reading a pixel waits for all that was drawn. */
const painted = (act: string): string => `(async () => {
  const [microscope, gl] = [document.querySelector('.microscope'), document.querySelector('[data-heat]').getContext('webgl2')];
  // Pages of earlier versions count no frames.
  const frame = () => microscope.dataset.frames ?? microscope.dataset.latency;
  const [before, began] = [frame(), performance.now()];
  const isShown = () => frame() !== before && microscope.dataset.busy === 'false';
  // Timers of a page wait four milliseconds and more, and take its time.
  const shown = new Promise((done, fail) => {
    setTimeout(() => fail(new Error('no frame within 20 s')), 20000);
    new MutationObserver(() => { if (isShown()) done(); }).observe(microscope, { attributes: true });
  });
  ${act};
  await shown;
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
  return performance.now() - began;
})()`;

const press = (key: string): string =>
  painted(`document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '${key}', bubbles: true }))`);

/** Moves the time bar's handle to a part of the run, 0 … 1. */
const moveTo = (part: number): string => `(() => {
  const bar = document.querySelector('footer input[type=range]');
  bar.value = Math.round(${part} * bar.max);
  bar.dispatchEvent(new Event('input', { bubbles: true }));
})()`;
const jumpTo = (part: number): string => painted(moveTo(part));

/** Turns the wheel at a place of the sheet. */
const zoom = (x: number, y: number): string =>
  painted(
    `document.querySelector('canvas.marks').dispatchEvent(new WheelEvent('wheel', { deltaY: -200, clientX: ${x}, clientY: ${y}, bubbles: true, cancelable: true }))`,
  );

/** Clicks on a weight, the first that is found from a place on; milliseconds until its number and curve are there. */
async function pin(page: Page, part: number): Promise<number> {
  // The sheet is smaller since something is pinned.
  const box = (await page.locator('canvas.marks').boundingBox())!;
  for (let step = 0; step < 100; step++) {
    await page.mouse.move(
      box.x + ((part + 0.137 * step) % 1) * box.width,
      box.y + (0.2 + ((0.09 * step) % 0.6)) * box.height,
    );
    await page.waitForTimeout(20);
    if ((await page.locator('[data-inspect] [data-name]').count()) > 0) break;
  }
  await page.evaluate(`(() => {
    const count = () => document.querySelectorAll('[data-pins] b[data-value]').length;
    const before = count();
    let began = 0;
    addEventListener('pointerdown', () => { began = performance.now(); }, { once: true, capture: true });
    globalThis.pinned = new Promise((done, fail) => {
      setTimeout(() => fail(new Error('no curve within 20 s')), 20000);
      const look = () => {
        if (count() > before && document.querySelector('.uplot canvas')) done(performance.now() - began);
        else requestAnimationFrame(look);
      };
      look();
    });
  })()`);
  await page.mouse.down();
  await page.mouse.up();
  return expectNumber(await page.evaluate('pinned'));
}

const parts = [0.5, 0.1, 0.77, 0.313, 0.9, 0.03, 0.641, 0.222, 0.55, 0.987];

/** Steps through a run's first iterations, then jumps from end to end. */
export async function cursorMoves(browser: Browser, url: string): Promise<CursorMoves> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  try {
    const page = await context.newPage();
    await page.goto(`${url}#view=microscope&t=0`);
    await page.waitForSelector('.microscope[data-busy=false]:not([data-latency="0"])', { timeout: 120_000 });
    const move = async (key: string) => expectNumber(await page.evaluate(press(key)));
    await move('ArrowRight');
    const metrics = await metricsOf(page);
    const steps: number[] = [];
    for (let k = 0; k < stepCount; k++) {
      await page.waitForTimeout(250);
      steps.push(await move('ArrowRight'));
    }
    const { script, tasks } = await metrics.read();
    const jumps: number[] = [];
    const measure = async (act: string) => {
      await page.waitForTimeout(600);
      return expectNumber(await page.evaluate(act));
    };
    for (const key of ['End', 'Home', 'End']) jumps.push(await measure(press(key)));
    for (const part of parts) jumps.push(await measure(jumpTo(part)));
    const curves: number[] = [];
    for (const part of [0.3, 0.4, 0.6, 0.8]) curves.push(await pin(page, part));
    const box = (await page.locator('canvas.marks').boundingBox())!;
    const zooms: number[] = [];
    for (let k = 0; k < 8; k++)
      zooms.push(await measure(zoom(box.x + box.width / 3, box.y + box.height / 3)));
    const windows: number[] = [];
    for (const [k, part] of [0.2, 0.8, 0.31, 0.55, 0.07, 0.93, 0.444, 0.7].entries()) {
      await page.evaluate(moveTo(part));
      const time = await measure(press(k % 2 === 0 ? '[' : ']'));
      if (k > 0) windows.push(time);
    }
    return { steps, jumps, windows, zooms, curves, script: script / stepCount, tasks: tasks / stepCount };
  } finally {
    await context.close();
  }
}
