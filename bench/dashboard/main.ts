import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { UsageError } from '../../src/errors.js';
import { serveRuns } from '../../src/server/serve.js';
import { openRun } from '../../src/store/open.js';
import { writePyramids } from '../../src/store/pyramid.js';
import { launchChromium } from '../../test/support/chromium.js';
import { firstPaint, type Paint } from './paint.js';
import { cursorMoves } from './cursor.js';

/** Folder of the built page. */
const builtPage = resolve(import.meta.dirname, '../../dist/dashboard');

/*
 * npm run bench:dashboard -- RUN [--rounds 5] [--page dist/dashboard,OTHER] [--only paint|cursor]
 *
 * Opens a run's dashboard in Chromium with software rendering, several times in turn for each built page, and prints: first paint; until the run's figures
 * are shown, and its charts; processor time of the page's main thread until then; requests and bytes; and how long a move of the microscope's cursor, a zoom and
 * the curve of a weight take to the painted frame. First the run's pyramid is written, as `lca view` does. Times are milliseconds. On a shared machine compare pages by what they take in turn, and by processor time.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    page: { type: 'string', default: builtPage },
    only: { type: 'string', default: '' },
  },
});

const [folder] = positionals;
if (folder === undefined) {
  throw new UsageError({ given: 'no run', expected: 'a run folder', remedy: 'make one with lca run' });
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? NaN;
const spread = (numbers: readonly number[]): string =>
  `${Math.round(median(numbers))} (${Math.round(Math.min(...numbers))}–${Math.round(Math.max(...numbers))})`;

function paintLines(page: string, paints: readonly Paint[]): string {
  const names = ['painted', 'figures', 'charts', 'script', 'tasks', 'requests', 'kilobytes'] as const;
  return [`${page}: median (least–most) of ${paints.length}`]
    .concat(names.map((name) => `  ${name.padEnd(10)} ${spread(paints.map((paint) => paint[name]))}`))
    .join('\n');
}

const hindrance = await writePyramids(await openRun(folder), folder);
if (hindrance !== null) process.stdout.write(`no pyramid: ${hindrance}\n`);

const pages = values.page.split(',');
const name = basename(resolve(folder));
const servers = await Promise.all(pages.map((page) => serveRuns({ page, runs: [{ name, folder }] })));
const browser = await launchChromium();
try {
  if (values.only !== 'cursor') {
    const paints = pages.map((): Paint[] => []);
    // The first round warms the file cache and the browser.
    for (let round = 0; round <= Number(values.rounds); round++)
      for (const [k, { url }] of servers.entries()) {
        const paint = await firstPaint(browser, url);
        if (round > 0) paints[k]!.push(paint);
      }
    for (const [k, page] of pages.entries()) process.stdout.write(`${paintLines(page, paints[k]!)}\n`);
  }
  if (values.only !== 'paint') {
    for (const [k, page] of pages.entries()) {
      const { steps, jumps, windows, zooms, curves, script, tasks } = await cursorMoves(
        browser,
        servers[k]!.url,
      );
      process.stdout.write(
        `${page}: cursor step to painted frame ${spread(steps)}, jumps ${spread(jumps)}, windows ${spread(windows)}, zoom ${spread(zooms)}, a weight's curve ${spread(curves)}; main thread of a step: script ${script.toFixed(1)}, tasks ${tasks.toFixed(1)}\n`,
      );
    }
  }
} finally {
  await browser.close();
  await Promise.all(servers.map((served) => served.close()));
}
