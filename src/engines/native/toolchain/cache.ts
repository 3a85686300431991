import { createHash, randomUUID } from 'node:crypto';
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { EngineError } from '../../../errors.js';
import type { Compiler } from './compiler.js';
import { compileLibrary } from './compiler.js';

function sha256(...parts: (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex');
}

/** Where compiled libraries are kept unless told otherwise: `$XDG_CACHE_HOME/lossledger/native`, or under `~/.cache`. */
export function defaultCacheFolder(): string {
  const base = process.env['XDG_CACHE_HOME'];
  return join(base?.startsWith('/') ? base : join(homedir(), '.cache'), 'lossledger', 'native');
}

/** Makes the folder, or checks that the one that is there is ours and closed to others. */
async function privateFolder(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const status = await lstat(folder);
  if (!status.isDirectory() || (process.getuid !== undefined && status.uid !== process.getuid())) {
    throw new EngineError({
      given: `${folder}, which is a link or belongs to somebody else`,
      expected: 'a folder of your own: compiled code is loaded from it',
      remedy: 'remove it, or set XDG_CACHE_HOME to a folder of your own',
    });
  }
  if ((status.mode & 0o077) !== 0) await chmod(folder, 0o700);
  return folder;
}

/** The folder, or a private temporary one where it cannot be written (a read-only home). */
async function writableFolder(folder: string): Promise<string> {
  try {
    return await privateFolder(folder);
  } catch (error) {
    if (error instanceof EngineError) throw error;
    return mkdtemp(join(tmpdir(), 'lossledger-native-'));
  }
}

/**
 * The cached library for `key`, if it is intact. The name carries the hash of the content, so one atomic rename
 * publishes both, and a damaged or exchanged file is never loaded.
 */
async function findIntact(folder: string, key: string): Promise<string | null> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${key}-`) || !name.endsWith('.so')) continue;
    const path = join(folder, name);
    const content = await readFile(path).catch(() => null);
    if (content !== null && name === `${key}-${sha256(content)}.so`) return path;
    await rm(path, { force: true });
  }
  return null;
}

/** Compiles under a name of its own, then renames: two processes at once do not see each other's half-written file. */
async function build(compiler: Compiler, source: string, folder: string, key: string): Promise<string> {
  const draft = join(folder, `draft-${randomUUID()}`);
  try {
    await writeFile(`${draft}.c`, source, { mode: 0o600 });
    await compileLibrary(compiler, `${draft}.c`, `${draft}.so`);
    const path = join(folder, `${key}-${sha256(await readFile(`${draft}.so`))}.so`);
    await chmod(`${draft}.so`, 0o700);
    await rename(`${draft}.so`, path);
    return path;
  } finally {
    await rm(`${draft}.c`, { force: true });
    await rm(`${draft}.so`, { force: true });
  }
}

/** Path of the shared library for `source`: from the cache, else compiled now. Throws EngineError. */
export async function cachedLibrary(
  compiler: Compiler,
  source: string,
  folder = defaultCacheFolder(),
): Promise<string> {
  const home = await writableFolder(folder);
  const key = sha256(source, compiler.command, compiler.args.join(' '), compiler.identity).slice(0, 32);
  return (await findIntact(home, key)) ?? build(compiler, source, home, key);
}
