import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { registry } from 'zarrita';
import { misfit } from './damaged.js';

/** Codecs that the library knows without listing them. */
const unlisted = ['sharding_indexed', 'numcodecs.fixedscaleoffset'];

/** One codec of metadata as it stands in a file: `name` in version 3, `id` in version 2. */
interface StoredCodec {
  readonly name?: unknown;
  readonly id?: unknown;
  readonly configuration?: { readonly codecs?: unknown; readonly index_codecs?: unknown } | null;
}

/**
 * Throws DataError where an array's metadata name a codec that is not known. The library would find out too, but of several unknown
 * codecs it reports only one; the others would end the process.
 */
export async function requireKnownCodecs(arrayFolder: string, file: string): Promise<void> {
  for (const name of ['zarr.json', '.zarray']) {
    const metadata = await readMetadata(join(arrayFolder, name));
    const unknown = codecNames(metadata).find((codec) => !registry.has(codec) && !unlisted.includes(codec));
    if (unknown === undefined) continue;
    const known = [...registry.keys()].filter((codec) => !codec.startsWith('numcodecs.')).join(', ');
    throw misfit(file, `codec ${unknown}`, known, 'write the array with one of these, or uncompressed');
  }
}

/** Null where there is no such file, or it is no JSON object; the library says so. */
async function readMetadata(path: string): Promise<object | null> {
  try {
    const content: unknown = JSON.parse(await readFile(path, 'utf8'));
    return typeof content === 'object' ? content : null;
  } catch {
    return null;
  }
}

/** Names of all codecs, those inside shards too. */
function codecNames(metadata: object | null): string[] {
  const { codecs, filters, compressor } = (metadata ?? {}) as Record<string, unknown>;
  const older = [...listOf(filters), ...(compressor ? [compressor as StoredCodec] : [])];
  return [...namesOf(codecs), ...older.map((codec) => `numcodecs.${nameOf(codec, 'id')}`)];
}

function namesOf(codecs: unknown): string[] {
  return listOf(codecs).flatMap((codec) => {
    const { codecs: inner, index_codecs: index } = codec?.configuration ?? {};
    return [nameOf(codec, 'name'), ...namesOf(inner), ...namesOf(index)];
  });
}

/** The library walks over whatever can be walked over, letters too. */
function listOf(value: unknown): readonly (StoredCodec | null)[] {
  if (Array.isArray(value)) return value as readonly (StoredCodec | null)[];
  return typeof value === 'string' && value !== '' ? [null] : [];
}

function nameOf(codec: StoredCodec | null, key: 'name' | 'id'): string {
  const name = codec?.[key];
  return typeof name === 'string' ? name : 'without a name';
}
