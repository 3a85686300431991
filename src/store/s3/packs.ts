import * as z from 'zod';
import { damaged, type Source } from '../../format/source.js';
import type { RemoteRun } from './remote-run.js';

const count = z.int().min(0);

/**
 * Which files a part in an object store has, and where they are. Files are sent many in one object, end to end, a pack; packs are never
 * changed. The index of a whole part is its commit. Packs of several workers may be in it.
 */
const indexSchema = z.strictObject({
  format: z.literal('lossledger-packs'),
  formatVersion: z.literal(1),
  /** Paths of the packs inside the run. */
  packs: z.array(z.string().regex(/^parts\/\d+\/[^/]+\/\d+$/)),
  /** By path inside the part: which pack, first byte and length. */
  files: z.record(z.string(), z.tuple([count, count, count])),
});

/** Which files a part in an object store has, and where they are. */
export type PackIndex = z.infer<typeof indexSchema>;

/** Where a file of a part is. */
export interface PackedFile {
  /** Path of the pack inside the run. */
  readonly pack: string;
  readonly offset: number;
  readonly length: number;
}

/** The bytes of an index. */
export function encodeIndex(files: ReadonlyMap<string, PackedFile>): Uint8Array {
  const packs = [...new Set(Array.from(files.values(), ({ pack }) => pack))];
  const numbers = new Map(packs.map((pack, number) => [pack, number]));
  const places = Array.from(files, ([path, { pack, offset, length }]) => [path, [numbers.get(pack)!, offset, length]] as const); // prettier-ignore
  const index: PackIndex = { format: 'lossledger-packs', formatVersion: 1, packs, files: Object.fromEntries(places) as PackIndex['files'] }; // prettier-ignore
  return Buffer.from(JSON.stringify(index));
}

/** Where the files of an index are, by path. `place` is for messages. Throws StoreError where it is damaged. */
export function decodeIndex(bytes: Uint8Array, place: string): Map<string, PackedFile> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString());
  } catch (error) {
    throw damaged(place, 'it is not JSON', error);
  }
  const { success, data, error } = indexSchema.safeParse(value);
  if (!success) throw damaged(place, z.prettifyError(error));
  return new Map(
    Object.entries(data.files).map(([path, [number, offset, length]]) => {
      const pack = data.packs[number];
      if (pack === undefined || !isInside(path)) throw damaged(place, `it speaks of ${path}`);
      return [path, { pack, offset, length }];
    }),
  );
}

/** Whether a path leads nowhere else: what a store names is written on a disk. */
export function isInside(path: string): boolean {
  return path.split('/').every((step) => /^[^\\:\0]+$/.test(step) && !step.startsWith('.'));
}

/** Files in packs as a source. */
export class PackSource implements Source {
  constructor(
    readonly run: RemoteRun,
    readonly files: ReadonlyMap<string, PackedFile>,
  ) {}

  async get(path: string, range = { start: 0, end: Infinity }): Promise<Uint8Array | undefined> {
    const file = this.files.get(path);
    if (file === undefined) return undefined;
    const start = Math.min(range.start, file.length);
    const end = Math.max(start, Math.min(range.end, file.length));
    return this.run.get(file.pack, { start: file.offset + start, end: file.offset + end });
  }
}
