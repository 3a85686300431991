import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { FileRoom, OpenedFile } from './files.js';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
};

/** Bytes that are read of a file at a time: arrays have millions, and each piece costs a wait. */
const pieceBytes = 2 ** 20;
/** Up to so many are read at once: a weight's curve is many small ranges, and a stream for each takes longer than the reading. */
const smallBytes = 2 ** 16;

/** First byte and the one after the last. */
export type Span = readonly [start: number, end: number];

/** The one range that a request asks for of `size` bytes: all where none is named or it is of no kind known here; null: behind the end. */
export function spanOf(range: string | undefined, size: number): Span | null {
  const match = /^bytes=(\d*)-(\d*)$/.exec(range ?? '');
  const [first, last] = [match?.[1] ?? '', match?.[2] ?? ''];
  if (match === null || (first === '' && last === '')) return [0, size];
  if (first === '') return last === '0' ? null : [Math.max(0, size - Number(last)), size];
  const end = last === '' ? size : Math.min(size, Number(last) + 1);
  return Number(first) < end ? [Number(first), end] : null;
}

/** Answers with a file or a range of it. What a run holds is data, whatever its name says: never a page of this origin. */
export async function answerFile(
  request: IncomingMessage,
  response: ServerResponse,
  { room, file, name, isPage }: { room: FileRoom; file: OpenedFile; name: string; isPage: boolean },
): Promise<void> {
  try {
    const { range } = request.headers;
    const span = spanOf(range, file.size);
    if (span === null) {
      response.writeHead(416, { 'Content-Range': `bytes */${file.size}` }).end();
      return;
    }
    const [start, end] = span;
    const isWhole = start === 0 && end === file.size;
    response.writeHead(isWhole ? 200 : 206, {
      'Content-Type': (isPage ? types[extname(name)] : undefined) ?? 'application/octet-stream',
      'Content-Length': end - start,
      'Accept-Ranges': 'bytes',
      ...(isWhole ? {} : { 'Content-Range': `bytes ${start}-${end - 1}/${file.size}` }),
    });
    if (request.method === 'HEAD' || start === end) response.end();
    else if (end - start <= smallBytes) await answerSmall(response, file, span);
    else
      await pipeline(
        file.handle.createReadStream({ start, end: end - 1, autoClose: false, highWaterMark: pieceBytes }),
        response,
      );
  } finally {
    await room.close(file);
  }
}

/** Ends an answer whose head says how long it is; where the file became shorter meanwhile, without its end. */
async function answerSmall(
  response: ServerResponse,
  { handle }: OpenedFile,
  [start, end]: Span,
): Promise<void> {
  const bytes = Buffer.alloc(end - start);
  const { bytesRead } = await handle.read(bytes, 0, bytes.length, start);
  if (bytesRead === bytes.length) response.end(bytes);
  else response.destroy();
}

/** Answers with bytes that are in memory. */
export function answerBytes(request: IncomingMessage, response: ServerResponse, bytes: Uint8Array): void {
  response.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Length': bytes.length });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

/** A short answer in plain words. */
export function answerText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}
