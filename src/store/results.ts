import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { attempt, writeAtomic } from './files.js';

/** Writes a file that follows from the ledger (an analysis, a figure, a page) as a whole, making its folder. */
export async function writeResult(folder: string, name: string, content: string | Uint8Array): Promise<void> {
  const path = join(folder, name);
  await attempt(`make ${dirname(path)}`, () => mkdir(dirname(path), { recursive: true }));
  await writeAtomic(path, typeof content === 'string' ? Buffer.from(content) : content);
}
