import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { get, open, root, type AbsolutePath } from 'zarrita';

/** SHA-256 of each stored array, by the array's path in ledger.zarr. */
export type Digests = Readonly<Record<string, string>>;

/** Digests of all arrays of a run folder: of their numbers as little-endian float64, so that neither files nor types matter. */
export async function digestsOf(run: string): Promise<Digests> {
  const ledger = join(run, 'ledger.zarr');
  const entries = arrayPaths(ledger).map(async (path) => [path, await digest(ledger, path)] as const);
  return Object.fromEntries((await Promise.all(entries)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Paths of all arrays below a Zarr group. */
function arrayPaths(group: string): string[] {
  return readdirSync(group, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('/zarr.json'))
    .filter((path) => isArray(join(group, path)))
    .map((path) => dirname(path));
}

function isArray(metadata: string): boolean {
  return (JSON.parse(readFileSync(metadata, 'utf8')) as { node_type: string }).node_type === 'array';
}

async function digest(ledger: string, path: string): Promise<string> {
  const store = root({ get: (key: AbsolutePath) => bytesOf(join(ledger, relative('/', key))) });
  const array = await open(store.resolve(path), { kind: 'array' });
  const { data } = await get(array);
  return createHash('sha256')
    .update(littleEndian(data as ArrayLike<number>))
    .digest('hex');
}

function bytesOf(path: string): Promise<Uint8Array | undefined> {
  try {
    return Promise.resolve(readFileSync(path));
  } catch {
    return Promise.resolve(undefined);
  }
}

function littleEndian(numbers: ArrayLike<number>): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(8 * numbers.length));
  for (let k = 0; k < numbers.length; k++) bytes.setFloat64(8 * k, numbers[k]!, true);
  return new Uint8Array(bytes.buffer);
}
