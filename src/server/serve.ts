import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import { UsageError } from '../errors.js';
import { summaryPath } from '../format/derived/summary.js';
import type { Source } from '../format/source.js';
import { answerBytes, answerFile, answerText } from './answer.js';
import { joinedBlocksOf, readBlocks } from './blocks.js';
import { FileRoom } from './files.js';
import { refusalOf, securityHeaders } from './guard.js';
import { answerFromSource } from './remote.js';
import { Summaries } from './summaries.js';

/** A run that is given out. */
export interface ServedRun {
  /** As the page calls it. */
  readonly name: string;
  /** Of a run elsewhere: where what was made for the page lies here, its pyramids. */
  readonly folder: string;
  /** What a run elsewhere is read from. */
  readonly source?: Source;
}

export interface ServeOptions {
  /** Folder of the built page. */
  readonly page: string;
  readonly runs: readonly ServedRun[];
  /** Address or name to bind to; default 127.0.0.1, which no other machine reaches. */
  readonly host?: string;
  /** Default 0: any that is free. */
  readonly port?: number;
}

/** A server that runs until it is closed. */
export interface Served {
  readonly url: string;
  /** Milliseconds since the last request, or since it was started. */
  readonly quietFor: () => number;
  close(): Promise<void>;
}

/** What the page may read of a run folder. */
const readable = /^(manifest\.json|journal|(pending|ledger\.zarr|pyramid)\/.+)$/;

/** The path of a run's summary, which is no file. */
const summaryOfRun = new RegExp(`^runs/(\\d{1,4})/${summaryPath}$`);

/** A connection that takes nothing for so long is closed, so that it holds no file. */
const idleMilliseconds = 60_000;

/**
 * Serves the page and the run folders, to be read only: `/`, `/runs.json` (the list of runs), `/runs/I/summary` (what a page shows first), `/runs/I/blocks/…` (a curve), `/runs/I/PATH`.
 *
 * @throws UsageError where the address or port cannot be bound.
 */
export async function serveRuns(options: ServeOptions): Promise<Served> {
  const { host = '127.0.0.1', port = 0 } = options;
  const room = new FileRoom();
  const summaries = new Summaries(room);
  let asked = performance.now();
  const server = createServer((request, response) => {
    asked = performance.now();
    answer(request, response, options, { room, summaries }).catch(() => response.destroy());
  });
  server.setTimeout(idleMilliseconds);
  await listen(server, host, port);
  const bound = server.address() as AddressInfo;
  // Ready before a browser is.
  if (options.runs[0]) void summaries.of(options.runs[0]);
  return {
    url: `http://${isIPv6(host) ? `[${host}]` : host}:${bound.port}/`,
    quietFor: () => performance.now() - asked,
    close: () =>
      new Promise((done) => {
        server.close(() => { done(); }); // prettier-ignore
        server.closeAllConnections();
      }),
  };
}

/** The list of runs that the page begins with. */
export function runList(runs: readonly ServedRun[]): { runs: { name: string; path: string }[] } {
  return { runs: runs.map(({ name }, index) => ({ name, path: `runs/${index}` })) };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { page, runs, host = '127.0.0.1' }: ServeOptions,
  { room, summaries }: { room: FileRoom; summaries: Summaries },
): Promise<void> {
  for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
  response.setHeader('Cache-Control', 'no-store');
  const refusal = refusalOf(request, [host.toLowerCase()]);
  if (refusal) {
    if (refusal.status === 405) response.setHeader('Allow', 'GET, HEAD');
    answerText(response, refusal.status, refusal.text);
    return;
  }
  const path = pathOf(request.url ?? '/');
  if (path === 'runs.json') {
    response.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8' });
    // What a folder of files cannot answer is said, so that a page does not ask there.
    response.end(
      request.method === 'HEAD' ? undefined : JSON.stringify({ ...runList(runs), joinsBlocks: true }),
    );
    return;
  }
  const summarized = runs[Number(summaryOfRun.exec(path ?? '')?.[1])];
  if (summarized !== undefined) {
    const bytes = await summaries.of(summarized);
    if (bytes === null) response.writeHead(204).end();
    else answerBytes(request, response, bytes);
    return;
  }
  const asked = joinedBlocksOf(path ?? '');
  const joined = asked === null ? undefined : runs[asked.run];
  if (joined !== undefined) {
    const bytes = await readBlocks(room, joined.folder, asked!);
    if (bytes === null) answerText(response, 404, 'Not found.');
    else answerBytes(request, response, bytes);
    return;
  }
  const place = path === null ? null : placeOf(path, page, runs);
  if (place?.source !== undefined) {
    await answerFromSource(request, response, place.source, place.path);
    return;
  }
  const file = place === null ? null : await room.open(place.root, place.path);
  // What may be there later is no error.
  if (file === null && place !== null && /^pyramid\/[^/]+\/index\.json$/.test(place.path))
    response.writeHead(204).end();
  else if (file === null) answerText(response, 404, 'Not found.');
  else await answerFile(request, response, { room, file, name: path!, isPage: place!.root === page });
}

/** The path asked for, without its first slash; null where it is not one. */
function pathOf(url: string): string | null {
  try {
    const path = decodeURIComponent(url.split(/[?#]/, 1)[0]!).slice(1);
    return path === '' ? 'index.html' : path;
  } catch {
    return null;
  }
}

/** Below which folder a path is looked for. */
function placeOf(
  path: string,
  page: string,
  runs: readonly ServedRun[],
): { root: string; path: string; source?: Source } | null {
  const own = /^runs\/(\d{1,4})\/(.+)$/.exec(path);
  if (own === null) return { root: page, path };
  const run = runs[Number(own[1])];
  if (run === undefined || !readable.test(own[2]!)) return null;
  const isElsewhere = run.source !== undefined && !own[2]!.startsWith('pyramid/');
  return { root: run.folder, path: own[2]!, ...(isElsewhere ? { source: run.source } : {}) };
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((ready, fail) => {
    server.once('error', fail);
    server.listen(port, host, ready);
  }).catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new UsageError({
      given: `${host}, port ${port} (${code})`,
      expected: 'an address of this machine, and a port that is free',
      remedy: 'leave --port out to take any that is free, or choose others',
    });
  });
}
