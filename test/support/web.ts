import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { extname, join, normalize } from 'node:path';

/** A request that was answered. */
export interface Answered {
  readonly path: string;
  readonly range: string | undefined;
  readonly status: number;
  /** Bytes of the answer. */
  readonly bytes: number;
}

/** A web server of one folder, as simple as servers of files are: whole files and single ranges. */
export interface WebFolder {
  readonly address: string;
  readonly answered: Answered[];
  close(): Promise<void>;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
};

export async function serveFolder(folder: string): Promise<WebFolder> {
  const answered: Answered[] = [];
  const server = createServer((request, response) => {
    answered.push(answer(folder, request, response));
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address() as AddressInfo;
  const close = () => new Promise<void>((done) => server.close(() => { done(); })); // prettier-ignore
  return { address: `http://127.0.0.1:${port}`, answered, close };
}

function answer(folder: string, request: IncomingMessage, response: ServerResponse): Answered {
  const path = normalize(decodeURIComponent(new URL(request.url!, 'http://host').pathname));
  const file = join(folder, path);
  const { range } = request.headers;
  if (!existsSync(file) || !statSync(file).isFile()) {
    response.writeHead(404).end();
    return { path, range, status: 404, bytes: 0 };
  }
  const { size } = statSync(file);
  const [start, end] = rangeOf(range, size);
  const status = range === undefined ? 200 : start < size ? 206 : 416;
  const headers: Record<string, string> = {
    'Content-Type': types[extname(file)] ?? 'application/octet-stream',
  };
  if (status === 206) headers['Content-Range'] = `bytes ${start}-${end - 1}/${size}`;
  response.writeHead(status, headers);
  if (status === 416 || start === end) response.end();
  else createReadStream(file, { start, end: end - 1 }).pipe(response);
  return { path, range, status, bytes: end - start };
}

/** First byte and the one after the last. */
function rangeOf(range: string | undefined, size: number): [number, number] {
  const match = /^bytes=(\d+)-(\d*)$/.exec(range ?? '');
  if (match === null) return [0, size];
  const end = match[2] === '' ? size : Math.min(size, Number(match[2]) + 1);
  return [Number(match[1]), end];
}
