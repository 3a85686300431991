import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';

/** Where Debian's package puts it. */
const executable = '/usr/bin/chromium';

export const chromiumHere = existsSync(executable);

/** Said where it is not. */
export const chromiumAbsent = `skipped: no ${executable} (on Debian: apt-get install chromium)`;

const flags = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  // WebGL where there is no graphics card.
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
];

/** Starts a real Chromium without a window; `PATH` of a user's own one is not asked for, so that all test the same. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: executable, args: ['--no-sandbox', ...flags] });
}

/** A page that keeps whatever it complains of: console messages of any kind, uncaught errors, failed requests. */
export async function watchedPage(browser: Browser): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('requestfailed', (request) => complaints.push(`failed: ${request.url()}`));
  return { page, complaints };
}
