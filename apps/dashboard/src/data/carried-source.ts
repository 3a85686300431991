import type { ByteRange, Source } from 'lossledger/format';

/** What a page that was written as one file says of the runs that it carries. */
export interface CarriedList {
  readonly runs: readonly {
    readonly name: string;
    readonly path: string;
    readonly leftOut: readonly string[];
  }[];
}

/** The runs that this page carries; null where it is one that reads them from a server. */
export function carriedRuns(): CarriedList | null {
  const list = document.getElementById('runs');
  return list === null ? null : (JSON.parse(list.textContent) as CarriedList);
}

/** A run's files that are inside the page itself, packed by `lca export site --single-file`. */
export class CarriedSource implements Source {
  readonly #files: Promise<ReadonlyMap<string, Uint8Array>>;

  /** @param id Element that holds them. */
  constructor(id: string) {
    this.#files = unpack(document.getElementById(id)?.textContent ?? '');
  }

  async get(path: string, range?: ByteRange): Promise<Uint8Array | undefined> {
    const bytes = (await this.#files).get(path);
    if (range === undefined || bytes === undefined) return bytes;
    return range.start < bytes.length ? bytes.subarray(range.start, range.end) : undefined;
  }
}

/** Files by path: after gzip the length of a header (uint32), the header, then the files one after the other. */
async function unpack(base64: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const letters = atob(base64);
  const packed = new Uint8Array(letters.length);
  // Many millions: a plain loop.
  for (let k = 0; k < packed.length; k++) packed[k] = letters.charCodeAt(k);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const length = new DataView(bytes.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))) as Record<
    string,
    [number, number]
  >;
  const files = bytes.subarray(4 + length);
  return new Map(Object.entries(header).map(([path, [from, to]]) => [path, files.subarray(from, to)]));
}
