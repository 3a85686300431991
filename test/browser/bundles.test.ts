import { build } from 'esbuild';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumAbsent, chromiumHere, launchChromium, watchedPage } from '../support/chromium.js';
import { temporaryFolder } from '../support/cli.js';
import { serveFolder, type WebFolder } from '../support/web.js';

const root = resolve(import.meta.dirname, '../..');
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  exports: Record<string, unknown>;
};
/** Everything but the entry for Node. */
const subpaths = Object.keys(exports).filter((subpath) => subpath !== '.');
const folder = temporaryFolder();

/** `./engines/reference` has the program engines-reference.js, which uses it and gives what it found. */
function programOf(subpath: string): string {
  return `${subpath.slice(2).replaceAll('/', '-')}.js`;
}

/** Bundles a program for browsers, as an application would. */
async function bundle(program: string): Promise<void> {
  const { warnings, outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'programs', program)],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    logLevel: 'silent',
  });
  expect(warnings).toEqual([]);
  writeFileSync(join(folder, program), outputFiles[0]!.text);
}

/** What a bundle gives in this Node. */
async function inNode(program: string): Promise<unknown> {
  const module = (await import(pathToFileURL(join(folder, program)).href)) as { default: unknown };
  return JSON.parse(JSON.stringify(module.default)) as unknown;
}

if (!chromiumHere) console.log(chromiumAbsent);

describe.skipIf(!chromiumHere)('what runs anywhere, in Chromium', () => {
  let browser: Browser;
  let web: WebFolder;
  beforeAll(async () => {
    writeFileSync(
      join(folder, 'empty.html'),
      '<!doctype html><link rel="icon" href="data:," /><title>empty</title>',
    );
    web = await serveFolder(folder);
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser.close();
    await web.close();
  });

  it.each(subpaths)('%s gives there what it gives in Node, and says nothing', async (subpath) => {
    const program = programOf(subpath);
    await bundle(program);
    const { page, complaints } = await watchedPage(browser);
    await page.goto(`${web.address}/empty.html`);
    const found: unknown = await page.evaluate(`import('/${program}').then((module) => module.default)`);
    await page.close();
    expect(complaints).toEqual([]);
    expect(found).toEqual(await inNode(program));
    expect(JSON.stringify(found).length).toBeGreaterThan(30);
  });
});
