import type { ByteRange, Source } from 'lossledger/format';

/** Files that are kept in memory, in bytes: chunks never change once they are written. */
const cacheBytes = 192 * 2 ** 20;
/** A file larger than that is none that a page can show: it is refused before its bytes come. */
const mostBytes = 2 ** 30;

/** A run folder on a web server. Chunks of arrays are kept in memory, the last used ones longest. */
export class HttpSource implements Source {
  readonly #kept = new Map<string, Uint8Array>();
  #keptBytes = 0;

  constructor(readonly address: string) {}

  async get(path: string, range?: ByteRange): Promise<Uint8Array | undefined> {
    const known = this.#kept.get(path);
    if (known !== undefined) {
      this.#kept.delete(path);
      this.#kept.set(path, known);
      return range === undefined ? known : known.subarray(range.start, range.end);
    }
    const bytes = await this.#fetch(path, range);
    if (bytes !== undefined && range === undefined && path.includes('/c/')) this.#keep(path, bytes);
    return bytes;
  }

  async #fetch(path: string, range: ByteRange | undefined): Promise<Uint8Array | undefined> {
    // From one byte earlier, which is there: browsers report it as an error where a file ends before a range.
    const before = range !== undefined && range.start > 0 ? 1 : 0;
    const headers: Record<string, string> = range
      ? { Range: `bytes=${range.start - before}-${range.end - 1}` }
      : {};
    const response = await fetch(`${this.address}/${path}`, { headers, cache: 'no-store' });
    if (response.status === 204 || response.status === 404 || response.status === 416) return undefined;
    if (!response.ok) throw new Error(`${path}: the server answered ${response.status}`);
    if (Number(response.headers.get('content-length') ?? 0) > mostBytes) {
      await response.body?.cancel();
      throw new Error(`${path} is larger than ${mostBytes / 2 ** 30} GiB, which no page can hold`);
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    // A server without ranges gives the whole file.
    if (range !== undefined && response.status === 200) return bytes.subarray(range.start, range.end);
    return bytes.subarray(before);
  }

  #keep(path: string, bytes: Uint8Array): void {
    if (bytes.length > cacheBytes / 4) return;
    this.#kept.set(path, bytes);
    this.#keptBytes += bytes.length;
    for (const [oldest, own] of this.#kept) {
      if (this.#keptBytes <= cacheBytes) break;
      this.#kept.delete(oldest);
      this.#keptBytes -= own.length;
    }
  }
}
