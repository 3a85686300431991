import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { DataError } from '../../errors.js';

interface DownloadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Give up where nothing arrives for so many milliseconds; default 15 seconds. */
  readonly patience?: number;
  readonly remedy: string;
}

/** Fetches an address into the file `path`. Throws DataError where it cannot be had whole; an abort is passed on. */
export async function download(
  url: string,
  path: string,
  { signal, patience = 15_000, remedy }: DownloadOptions,
): Promise<void> {
  const silence = new AbortController();
  const timer = setTimeout(() => {
    silence.abort(new Error(`nothing arrived for ${patience / 1000} s`));
  }, patience);
  const stop = AbortSignal.any([silence.signal, ...(signal ? [signal] : [])]);
  try {
    const response = await fetch(url, { signal: stop });
    if (!response.ok || response.body === null) throw new Error(`HTTP status ${response.status}`);
    const body = Readable.fromWeb(response.body as ReadableStream);
    body.on('data', () => timer.refresh());
    await pipeline(body, createWriteStream(path), { signal: stop });
  } catch (cause) {
    signal?.throwIfAborted();
    const given = `${url} could not be fetched: ${reasonOf(silence.signal.aborted ? silence.signal.reason : cause)}`;
    throw new DataError({ given, expected: 'the whole file', remedy }, { cause });
  } finally {
    clearTimeout(timer);
  }
}

/** `fetch` says only that it failed; its cause says why. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message || error.message : error.message;
}
