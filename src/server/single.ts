import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type ArraySpec, arraysOf, bytesOf } from '../format/layout/arrays.js';
import { manifestName } from '../format/context.js';
import type { RunReader } from '../format/reader.js';
import { attempt, readIfPresent } from '../store/files.js';
import { openRun, refuseExisting } from '../store/open.js';

/** Bytes of a run's arrays that a page carries at most, before they are packed. */
const mostBytes = 24 * 2 ** 20;

/** A run that a page carries: what the page reads of its folder, packed, and the arrays that it has not. */
interface CarriedRun {
  readonly name: string;
  readonly leftOut: readonly string[];
  /** gzip of a header's length (uint32), the header (JSON: path → [first byte, the one after the last]), and the files. */
  readonly packed: Buffer;
}

/**
 * Writes the page and runs as one file that a browser opens from disk, with summary levels only: arrays by parameter are left out, and others
 * where they would make it too large.
 *
 * @param page Folder of the built page.
 * @returns Names of the arrays that were left out, by run.
 * @throws StoreError where there is something at `out` already, a run cannot be read, or the file cannot be written.
 */
export async function writeSingleFile(
  page: string,
  folders: readonly string[],
  out: string,
): Promise<(readonly string[])[]> {
  const runs = await Promise.all(folders.map(carriedRun));
  await refuseExisting(out);
  const html = pageOf(await readPage(page), runs);
  await attempt(`write ${out}`, () => writeFile(out, html));
  return runs.map(({ leftOut }) => leftOut);
}

async function carriedRun(folder: string): Promise<CarriedRun> {
  const run = await openRun(folder);
  const { carried, leftOut } = divide(run);
  const files = new Map<string, Uint8Array>();
  const take = async (path: string) => {
    const bytes = await readIfPresent(join(folder, path));
    if (bytes !== null) files.set(path, bytes);
  };
  for (const path of [manifestName, 'journal']) await take(path);
  for (const path of await plainFiles(folder, 'pending')) await take(path);
  for (const { name } of carried) for (const path of await plainFiles(folder, `ledger.zarr/${name}`)) await take(path);
  return { name: basename(resolve(folder)), leftOut, packed: pack(files) };
} // prettier-ignore

/** Arrays of sums, smallest first, as far as there is room for them; those by parameter never. */
function divide(run: RunReader): { carried: ArraySpec[]; leftOut: string[] } {
  const sizeOf = ({ shape, dtype }: ArraySpec) => shape.reduce((a, b) => a * b, bytesOf[dtype]);
  const isFine = ({ dimensions, column }: ArraySpec) =>
    column === null || dimensions.includes('parameter') || dimensions.includes('byte');
  const arrays = arraysOf(run.manifest).sort((a, b) => sizeOf(a) - sizeOf(b));
  let room = mostBytes;
  const carried = arrays.filter((array) => !isFine(array) && (room -= sizeOf(array)) >= 0);
  return { carried, leftOut: arrays.filter((array) => !carried.includes(array)).map(({ name }) => name) };
}

/** Paths of the files below a folder of the run; none where it is not there. Links are left out. */
async function plainFiles(folder: string, inside: string): Promise<string[]> {
  const entries = await readdir(join(folder, inside), { withFileTypes: true, recursive: true }).catch(
    () => [],
  );
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length).replace(/^[/\\]/, '').replaceAll('\\', '/'));
} // prettier-ignore

function pack(files: ReadonlyMap<string, Uint8Array>): Buffer {
  let at = 0;
  const places = [...files].map(([path, { length }]) => [path, [at, (at += length)]] as const);
  const header = Buffer.from(JSON.stringify(Object.fromEntries(places)));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  return gzipSync(Buffer.concat([length, header, ...files.values()]));
}

/** The built page: its modules by file name, the first one's name, what stands in it before they run, and its style. */
interface BuiltPage {
  readonly modules: ReadonlyMap<string, string>;
  readonly entry: string;
  readonly shell: string;
  readonly style: string;
  readonly licences: string;
}

async function readPage(page: string): Promise<BuiltPage> {
  return attempt(`read ${page}`, async () => {
    const html = await readFile(join(page, 'index.html'), 'utf8');
    const names = await readdir(join(page, 'assets'));
    const texts = await Promise.all(names.map((name) => readFile(join(page, 'assets', name), 'utf8')));
    const files = new Map(names.map((name, k) => [name, texts[k]!]));
    const ending = (end: string) => [...files].filter(([name]) => name.endsWith(end));
    return {
      modules: new Map(ending('.js')),
      entry: /src="\.\/assets\/([^"]+\.js)"/.exec(html)![1]!,
      shell: /<body>\s*([^]*?)\s*<\/body>/.exec(html)![1]!,
      style: ending('.css').map(([, text]) => text).join('\n'),
      licences: (await readIfPresent(join(page, 'LICENSES.txt')))?.toString() ?? '',
    }; // prettier-ignore
  });
}

/**
 * Starts the page: a module becomes an address of its own (`blob:`) when it is first asked for, with the addresses of those that it imports in
 * place of their paths.
 */
const start = `
const texts = JSON.parse(document.getElementById('modules').textContent);
const made = {};
globalThis.pageModule = (name) =>
  (made[name] ??= URL.createObjectURL(new Blob([
    texts[name]
      .replace(/import\\(([\`"'])\\.\\/([^\`"']+)\\1\\)/g, (all, quote, other) => other in texts ? 'import(pageModule("' + other + '"))' : all)
      .replace(/([\`"'])\\.\\/([^\`"']+)\\1/g, (all, quote, other) => other in texts ? quote + pageModule(other) + quote : all),
  ], { type: 'text/javascript' })));
import(pageModule(document.getElementById('modules').dataset.entry));
`;

function pageOf({ modules, entry, shell, style, licences }: BuiltPage, runs: readonly CarriedRun[]): string {
  const policy = [
    "default-src 'none'",
    `script-src blob: 'sha256-${createHash('sha256').update(start).digest('base64')}'`,
    "style-src 'unsafe-inline'",
    'img-src data: blob:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const list = { runs: runs.map(({ name, leftOut }, k) => ({ name, path: `run-${k}`, leftOut })) };
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8" />',
    `<meta http-equiv="Content-Security-Policy" content="${policy}" />`,
    '<meta name="viewport" content="width=device-width, initial-scale=1" />',
    '<meta name="color-scheme" content="light dark" /><title>Lossledger</title><link rel="icon" href="data:," />',
    `<!--\n${licences.replaceAll('--', '- -')}\n-->`,
    `<style>${style}</style></head><body>${shell}`,
    jsonElement('runs', list),
    ...runs.map(({ packed }, k) => `<script type="application/gzip" id="run-${k}">${packed.toString('base64')}</script>`),
    jsonElement('modules', Object.fromEntries(modules), ` data-entry="${entry}"`),
    `<script>${start}</script>`,
    '</body></html>',
    '',
  ].join('\n');
} // prettier-ignore

/** Data inside the page; nothing in it can end the element. */
function jsonElement(id: string, data: object, attributes = ''): string {
  return `<script type="application/json" id="${id}"${attributes}>${JSON.stringify(data).replaceAll('<', '\\u003c')}</script>`;
}
