import type { Browser } from 'playwright-core';
import { expectNumber, metricsOf } from './metrics.js';

/** Moves of the microscope's cursor: milliseconds from the key to the painted frame, and the main thread's processor for a step. */
export interface CursorMoves {
  readonly steps: readonly number[];
  readonly jumps: readonly number[];
  readonly script: number;
  readonly tasks: number;
}

const stepCount = 20;

/** Presses a key, and waits until its frame is painted: reading a pixel waits for all that was drawn. */
const press = (key: string): string => `(async () => {
  const [microscope, gl] = [document.querySelector('.microscope'), document.querySelector('[data-heat]').getContext('webgl2')];
  const [before, began] = [microscope.dataset.latency, performance.now()];
  const isShown = () => microscope.dataset.latency !== before && microscope.dataset.busy === 'false';
  // Timers of a page wait four milliseconds and more, and take its time.
  const shown = new Promise((done) => new MutationObserver(() => { if (isShown()) done(); }).observe(microscope, { attributes: true }));
  document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '${key}', bubbles: true }));
  await shown;
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
  return performance.now() - began;
})()`;

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
    for (const key of ['End', 'Home', 'End']) jumps.push(await move(key));
    return { steps, jumps, script: script / stepCount, tasks: tasks / stepCount };
  } finally {
    await context.close();
  }
}
