import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ByteRange, Source } from '../format/source.js';
import { answerText } from './answer.js';

/** Steps of a path inside a run: neither hidden nor a way up. */
const inside = /^(?!\.)[^/\\\0]+(\/(?!\.)[^/\\\0]+)*$/;

/** Answers with a file of a run that is not in a folder here, or a range of it. How long the whole file is, is not known. */
export async function answerFromSource(
  request: IncomingMessage,
  response: ServerResponse,
  source: Source,
  path: string,
): Promise<void> {
  const range = rangeOf(request.headers.range);
  const bytes = inside.test(path) ? await source.get(path, range) : undefined;
  if (bytes === undefined) return answerText(response, 404, 'Not found.');
  if (range !== undefined && bytes.length === 0) {
    response.writeHead(416, { 'Content-Range': 'bytes */*' }).end();
    return;
  }
  const span = range && `bytes ${range.start}-${range.start + bytes.length - 1}/*`;
  response.writeHead(range === undefined ? 200 : 206, {
    'Content-Type': 'application/octet-stream',
    'Content-Length': bytes.length,
    'Accept-Ranges': 'bytes',
    ...(span === undefined ? {} : { 'Content-Range': span }),
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

/** First byte and the one behind the last, where both are named. */
function rangeOf(header: string | undefined): ByteRange | undefined {
  const match = /^bytes=(\d+)-(\d+)$/.exec(header ?? '');
  if (match === null || Number(match[1]) > Number(match[2])) return undefined;
  return { start: Number(match[1]), end: Number(match[2]) + 1 };
}
