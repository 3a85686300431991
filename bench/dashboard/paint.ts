import type { Browser } from 'playwright-core';
import { expectNumber, metricsOf } from './metrics.js';

/** What opening a page took: milliseconds since navigation began, of the main thread's processor, requests, and kilobytes as they were sent. */
export interface Paint {
  /** First contentful paint. */
  readonly painted: number;
  /** Until the sum of all allocations stands there. */
  readonly figures: number;
  /** Until the loss is drawn. */
  readonly charts: number;
  readonly script: number;
  readonly tasks: number;
  readonly requests: number;
  readonly kilobytes: number;
}

/** Notes when what is waited for first stands in the page; runs before its own scripts. */
const watch = `(() => {
  const seen = (globalThis.seen = {});
  const wanted = { figures: '[data-fact=total]', charts: '[aria-label="Loss"] .plot svg' };
  const look = () => {
    for (const [name, selector] of Object.entries(wanted))
      if (!(name in seen) && document.querySelector(selector)) seen[name] = performance.now();
    if (Object.keys(seen).length < Object.keys(wanted).length) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})()`;

/** Opens a page in a context of its own, with nothing kept from before. */
export async function firstPaint(browser: Browser, url: string): Promise<Paint> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  try {
    const page = await context.newPage();
    await page.addInitScript(watch);
    const metrics = await metricsOf(page);
    await page.goto(url, { waitUntil: 'commit' });
    await page.waitForSelector('[data-fact=total]', { timeout: 120_000 });
    await page.waitForSelector('[aria-label="Loss"] .plot svg', { timeout: 120_000 });
    const { script, tasks } = await metrics.read();
    const [painted, figures, charts, requests, kilobytes] = (
      await page.evaluate<unknown[]>(`(async () => {
        while (performance.getEntriesByName('first-contentful-paint').length === 0) await new Promise((done) => setTimeout(done, 5));
        const files = [...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')];
        return [performance.getEntriesByName('first-contentful-paint')[0].startTime, seen.figures, seen.charts, files.length,
          files.reduce((total, { encodedBodySize }) => total + encodedBodySize, 0) / 1000];
      })()`)
    ).map(expectNumber) as [number, number, number, number, number];
    return { painted, figures, charts, script, tasks, requests, kilobytes };
  } finally {
    await context.close();
  }
}
