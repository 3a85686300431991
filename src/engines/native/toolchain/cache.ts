import { createHash, randomUUID } from 'node:crypto';
import { rmSync, type Stats } from 'node:fs';
import {
  access,
  chmod,
  constants,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { EngineError } from '../../../errors.js';
import { cacheFolder, makeFolder, reasonToDistrust } from '../../../folders.js';
import { told } from './compilations.js';
import type { Compiler } from './compiler.js';
import { compileLibrary } from './compiler.js';

function sha256(...parts: (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex');
}

function refuse(given: string): never {
  throw new EngineError({
    given,
    expected: 'a folder of your own that nobody else may write to: compiled code is loaded from it',
    remedy: 'remove it, or set XDG_CACHE_HOME to a folder of your own',
  });
}

const isOurs = (status: Stats): boolean => process.getuid === undefined || status.uid === process.getuid();

/**
 * Makes the folder, or checks that the one that is there is ours. Where others could write, code of theirs may lie, so that
 * it is not used; where they could read, it is closed to them.
 */
async function privateFolder(folder: string): Promise<string> {
  await makeFolder(folder, 0o700);
  const reason = await reasonToDistrust(folder);
  if (reason !== null) refuse(`${folder}, ${reason}`);
  await chmod(folder, 0o700);
  return folder;
}

const temporaryName = 'lossledger-native-';

/** Where a process whose home cannot be written keeps its libraries: all its threads in one place, until it ends. */
const temporaryFolder = (): string => join(tmpdir(), `${temporaryName}${process.pid}`);

/** Removes the temporary folder, where there is one, when the process ends. To be called by its main thread, and by it alone. */
export function removeTemporaryAtEnd(): void {
  if (!isMainThread || removes) return;
  removes = true;
  process.on('exit', () => {
    try {
      rmSync(temporaryFolder(), { recursive: true, force: true });
    } catch {
      // There is no place for temporary files, and so nothing of ours in it.
    }
  });
}

let removes = false;

/** The folder, or a temporary one where it cannot be written (a read-only home). Throws EngineError where that cannot be either. */
async function writableFolder(folder: string): Promise<string> {
  try {
    const own = await privateFolder(folder);
    await access(own, constants.W_OK);
    return own;
  } catch (error) {
    if (error instanceof EngineError) throw error;
  }
  try {
    await removeLeftOver();
    return await privateFolder(temporaryFolder());
  } catch (error) {
    if (error instanceof EngineError) throw error;
    refuse(`${folder} and ${temporaryFolder()}, neither of which can be written`);
  }
}

/** Removes temporary folders of processes that were killed. */
async function removeLeftOver(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = name.startsWith(temporaryName) ? Number(name.slice(temporaryName.length)) : NaN;
    if (!(pid > 0) || isRunning(pid)) continue;
    const path = join(tmpdir(), name);
    if (isOurs(await lstat(path))) await rm(path, { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Content of a plain file of our own; null where it is something else. */
async function readOwn(path: string): Promise<Buffer | null> {
  try {
    const status = await lstat(path);
    return status.isFile() && isOurs(status) ? await readFile(path) : null;
  } catch {
    return null;
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
    const content = await readOwn(path);
    if (content !== null && name === `${key}-${sha256(content)}.so`) return path;
    await rm(path, { force: true });
  }
  return null;
}

/**
 * Compiles in a folder of its own, then renames: two processes at once do not see each other's half-written file. The file
 * names inside are always the same, because compilers write them into the library.
 */
async function build(
  compiler: Compiler,
  source: string,
  folder: string,
  key: string,
  timeLimit: number,
): Promise<string> {
  const draft = join(folder, `draft-${randomUUID()}`);
  try {
    await mkdir(draft, { mode: 0o700 });
    const [code, library] = [join(draft, 'network.c'), join(draft, 'network.so')];
    await writeFile(code, source, { mode: 0o600 });
    await told(compileLibrary(compiler, code, library, timeLimit));
    const path = join(folder, `${key}-${sha256(await readFile(library))}.so`);
    await chmod(library, 0o700);
    await rename(library, path);
    return path;
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw new EngineError(
      {
        given: `${folder}, where compiled code could not be kept: ${error instanceof Error ? error.message : String(error)}`,
        expected: 'a folder with room for a few megabytes',
        remedy: 'make room, set XDG_CACHE_HOME to another folder, or use `--engine onnxruntime`',
      },
      { cause: error },
    );
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

export interface CacheOptions {
  /** Where libraries are kept; default `$XDG_CACHE_HOME/lossledger/native`. */
  readonly folder?: string | undefined;
  /** Seconds that the compiler may take; default 120. */
  readonly timeLimit?: number | undefined;
}

/** Path of the shared library for `source`: from the cache, else compiled now. Throws EngineError. */
export async function cachedLibrary(
  compiler: Compiler,
  source: string,
  { folder = cacheFolder('native'), timeLimit = 120 }: CacheOptions = {},
): Promise<string> {
  const home = await writableFolder(folder);
  const key = sha256(source, compiler.command, compiler.args.join(' '), compiler.identity).slice(0, 32);
  return (await findIntact(home, key)) ?? build(compiler, source, home, key, timeLimit);
}
