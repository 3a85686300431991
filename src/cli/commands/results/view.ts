import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { StoreError } from '../../../errors.js';
import { isFolder } from '../../../folders.js';
import { manifestName, notARun } from '../../../format/context.js';
import { requireRoom } from '../../../format/derived/summary.js';
import { type Served, serveRuns, type ServedRun } from '../../../server/serve.js';
import { sha256 } from '../../../store/files.js';
import { openRun } from '../../../store/open.js';
import { placeOf } from '../../../store/place.js';
import { writePyramids } from '../../../store/pyramid.js';
import { isRemote } from '../../../store/s3/remote-run.js';
import { scratchOf } from '../../../store/scratch.js';
import { stopOnInterrupt } from '../../interrupt.js';
import { printJson, printLine, say } from '../../output.js';
import { parsePath } from '../run.js';

interface ViewOptions {
  readonly host: string;
  readonly port: number;
  readonly json?: boolean;
  readonly pyramid: boolean;
  readonly scratch?: string;
}

export function viewCommand(): Command {
  return new Command('view')
    .description('open runs in the browser: serves the dashboard and the run folders until Ctrl-C')
    .argument('<run...>', 'run folders, finished or in progress')
    .option(
      '--host <address>',
      'address to bind to; others than the default can be reached from outside',
      '127.0.0.1',
    )
    .option('--port <number>', 'port to bind to; 0: any that is free', parsePort, 0)
    .option(
      '--no-pyramid',
      'write nothing: without RUN/pyramid, far moves of the cursor and curves of weights take longer',
    )
    .option(
      '--scratch <folder>',
      'local disk for the pyramids of runs in object stores (default: the cache folder)',
      parsePath,
    )
    .option('--json', 'print {"url"} as one JSON document')
    .action(async (addresses: readonly string[], { host, port, json, pyramid, scratch }: ViewOptions) => {
      const runs = await Promise.all(addresses.map((address) => servedRun(address, scratch)));
      const served = await serveRuns({ page: dashboardFolder(), runs, host, port });
      if (json) printJson({ url: served.url });
      else printLine(served.url);
      say('Serving until Ctrl-C.');
      const { signal } = stopOnInterrupt();
      const prepared = pyramid ? preparePyramids(addresses, runs, signal, served) : Promise.resolve();
      await interrupted(signal);
      await served.close();
      await prepared;
    });
}

/** Throws StoreError where there is no such folder, or no run in it; what is wrong inside a run, the page says. */
async function servedRun(folder: string, scratch: string | undefined): Promise<ServedRun> {
  if (isRemote(folder)) return remoteRun(folder, scratch);
  if (existsSync(join(folder, manifestName))) return { name: basename(resolve(folder)), folder };
  if (await isFolder(folder)) throw notARun(folder);
  throw new StoreError({
    given: `${folder} is no folder`,
    expected: 'run folders',
    remedy: 'check the path, or make a run with lca run … --out FOLDER',
  });
}

/** Throws StoreError where there is no run at that address. */
async function remoteRun(address: string, scratch: string | undefined): Promise<ServedRun> {
  const { source } = placeOf(address);
  const manifest = await source.get(manifestName);
  if (manifest === undefined) throw notARun(address);
  return { name: basename(address), folder: await scratchOf(scratch, address, sha256(manifest)), source };
}

/** Where the built page is: beside the programs, or above the modules. Throws StoreError where it was not built. */
export function dashboardFolder(): string {
  const here = fileURLToPath(new URL('.', import.meta.url));
  const found = ['../dashboard', '../../dashboard'].map((path) => join(here, path)).find(existsSync);
  if (found !== undefined) return found;
  throw new StoreError({
    given: 'this copy of Lossledger has no built dashboard',
    expected: 'dist/dashboard beside the program',
    remedy: 'install the published package, or run npm run build',
  });
}

function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port < 65536) return port;
  throw new InvalidArgumentError('expected a whole number from 0 to 65535');
}

/** Seconds after which a run in progress is looked at again. */
const pauseSeconds = 5;
/** Milliseconds without a request after which a page is taken to have what it wants for now. */
const quietMilliseconds = 400;

/**
 * Writes the runs' pyramids while they are looked at, and goes on with those of runs in progress as they grow; what a page asks for goes first.
 * What hinders that is said.
 */
async function preparePyramids(
  addresses: readonly string[],
  runs: readonly ServedRun[],
  signal: AbortSignal,
  { quietFor }: Served,
): Promise<void> {
  // Not for ever: a page that plays asks all the time.
  const untilQuiet = async (milliseconds: number, most: number) => {
    for (let n = 0; n < most && quietFor() < milliseconds && !signal.aborted; n++) await setTimeout(50);
  };
  const pause = () => untilQuiet(quietMilliseconds, 4);
  await untilQuiet(2 * quietMilliseconds, 200);
  for (let left = [...addresses]; left.length > 0 && !signal.aborted;) {
    const growing: string[] = [];
    for (const folder of left) {
      try {
        requireRoom(await placeOf(folder).source.get(manifestName));
        const run = await openRun(folder);
        const out = runs[addresses.indexOf(folder)]!.folder;
        const reason = await writePyramids(run, folder, { signal, pause, out });
        if (reason !== null) say(`No pyramid: ${reason}.`);
        if (reason === null && !run.status.sealed) growing.push(folder);
      } catch (error) {
        if (!signal.aborted)
          say(`No pyramid of ${folder}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    left = growing;
    if (left.length > 0) await setTimeout(1000 * pauseSeconds, undefined, { signal }).catch(() => undefined);
  }
}

/** Waits for Ctrl-C, which is how looking ends: no failure. */
async function interrupted(signal: AbortSignal): Promise<void> {
  await new Promise<void>((done) => signal.addEventListener('abort', () => { done(); })); // prettier-ignore
}
