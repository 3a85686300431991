import { join } from 'node:path';
import { type ArraySpec, chunkPath, type StoredNumbers } from './arrays.js';
import { decodeChunk } from './codec.js';
import type { RunContext } from './context.js';
import { damaged, readIfPresent } from './files.js';

/** Reads one chunk file, which must be there. */
export async function readChunk(context: RunContext, spec: ArraySpec, chunk: number): Promise<StoredNumbers> {
  const path = join(context.folder, chunkPath(spec, chunk));
  const bytes = await readIfPresent(path);
  if (bytes === null) throw damaged(path, 'it is missing');
  return decodeChunk(spec, bytes, path);
}
