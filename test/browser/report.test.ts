import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumAbsent, chromiumHere, launchChromium, watchedPage } from '../support/chromium.js';
import { lca, temporaryFolder } from '../support/cli.js';
import { seriousFaults } from '../support/dashboard.js';

const folder = temporaryFolder();
const small = ['--subset', '120', '--batch-size', '20', '--chunk', '40', '--iterations', '4', '--quiet'];
const named = ['--name', '<b>A run</b> of a long name', '--date', '2026-11-25', '--tags', 'small,2026'];

/** Opens a page of a run at a width; what it complains of and asks for besides itself is kept. */
async function openReport(browser: Browser, width: number): Promise<{ page: Page; complaints: string[] }> {
  const { page, complaints } = await watchedPage(browser);
  const address = pathToFileURL(join(folder, 'run/report.html')).href;
  page.on('request', (request) => {
    if (request.url() !== address) complaints.push(`asked for ${request.url()}`);
  });
  await page.setViewportSize({ width, height: 800 });
  await page.goto(address);
  return { page, complaints };
}

/** Text of figures that lies outside its figure, or on another text of the same axis. */
const misplaced = `[...document.querySelectorAll('figure svg[role=img]')].flatMap((svg) => {
  const frame = svg.getBoundingClientRect();
  const texts = [...svg.querySelectorAll('text')].filter((text) => text.textContent !== '');
  const outside = texts.filter((text) => {
    const box = text.getBoundingClientRect();
    return box.left < frame.left - 2 || box.right > frame.right + 2;
  });
  const ticks = [...svg.querySelectorAll('[aria-label$="tick label"]')].flatMap((axis) => {
    const boxes = [...axis.querySelectorAll('text')].map((text) => text.getBoundingClientRect());
    return boxes.slice(1).filter((box, i) => box.left < boxes[i].right && boxes[i].left < box.right && box.top < boxes[i].bottom - box.height / 4 && boxes[i].top < box.bottom - box.height / 4).map(() => axis.textContent);
  });
  return [...outside.map((text) => text.textContent), ...ticks];
})`;

if (!chromiumHere) console.log(chromiumAbsent);

describe.skipIf(!chromiumHere)('a report in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    const args = ['run', 'mnist-fc-sgd', ...small, ...named, '--out', join(folder, 'run')];
    const { code, stderr } = await lca([...args, '--allow-imbalance']);
    expect(code, stderr).toBe(0);
    // With the analyses by theme.
    expect((await lca(['report', join(folder, 'run'), '--allow-imbalance', '--quiet'])).code).toBe(0);
    browser = await launchChromium();
  });
  afterAll(() => browser.close());

  it.each([360, 768, 1280, 3840])('fits %i pixels, complains of nothing and asks for nothing', async (width) => {
    const { page, complaints } = await openReport(browser, width);
    const extent = 'document.documentElement.scrollWidth';
    expect(await page.evaluate(extent)).toBeLessThanOrEqual(width);
    expect(await page.evaluate(misplaced)).toEqual([]);
    const least = `Math.min(...[...document.querySelectorAll('figure svg text')].map((text) => text.getBoundingClientRect().height))`;
    expect(await page.evaluate(least)).toBeGreaterThan(8);
    expect(complaints).toEqual([]);
    expect(await seriousFaults(page)).toEqual([]);
    await page.close();
  }); // prettier-ignore

  it('is dark where the reader likes that, and white on paper all the same', async () => {
    const { page } = await openReport(browser, 1280);
    const background = (): Promise<string> =>
      page.evaluate('getComputedStyle(document.body).backgroundColor');
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await background()).toBe('rgb(18, 22, 29)');
    await page.emulateMedia({ colorScheme: 'dark', media: 'print' });
    expect(await background()).toBe('rgb(255, 255, 255)');
    const wide = `[...document.querySelectorAll('.scroll')].filter((box) => box.scrollWidth > box.clientWidth + 1).length`;
    await page.setViewportSize({ width: 690, height: 900 });
    expect(await page.evaluate(wide)).toBe(0);
    await page.close();
  });

  it('shows its name, date and tags, who helped most, and the first layer as an image', async () => {
    const { page } = await openReport(browser, 1280);
    const texts = (selector: string): Promise<string[]> => page.locator(selector).allTextContents();
    expect(await texts('h1')).toEqual(['<b>A run</b> of a long name']);
    const [preset, ...labels] = await texts('.labels li');
    expect(preset).toMatch(/^mnist-fc-sgd, changed: /);
    expect(labels).toEqual(['2026-11-25', 'small', '2026']);
    const headings = await texts('h3');
    for (const heading of ['Neurons that helped most', 'Parameters that helped most', 'The first layer, as an image'])
      expect(headings).toContain(heading);
    await page.close();
  }); // prettier-ignore
});
