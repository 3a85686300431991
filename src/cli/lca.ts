#!/usr/bin/env node
import module from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { cacheFolder, makeFolder, reasonToDistrust } from '../folders.js';

/** What Node.js has from 22.1 on. */
interface CompileCache {
  readonly enableCompileCache?: (folder: string) => unknown;
}

/**
 * Lets Node.js keep what it compiles our modules to, where it can: a start takes a tenth less of a second then. The folder is made here, since Node's own way
 * of doing so may never end (see `makeFolder`).
 */
async function keepCompiledCode(): Promise<void> {
  const { enableCompileCache } = module as CompileCache;
  if (enableCompileCache === undefined) return;
  try {
    const folder = cacheFolder('code');
    await makeFolder(folder, 0o700);
    if ((await reasonToDistrust(folder)) === null) enableCompileCache(folder);
  } catch {
    // A home that cannot be written, or none: it works without.
  }
}

/**
 * Lets the heap grow to four times what lives before it is collected as a whole, which is the most that V8 allows by itself. Small as it is, a run would
 * collect it every ten segments, at a hundredth of all its processor time. What arrays hold has a limit of its own.
 */
setFlagsFromString('--heap-growing-percent=300');

await keepCompiledCode();
try {
  await import('./main.js');
} catch (error) {
  // Where so few files may be open that not even the program is loaded.
  if (!(error instanceof Error && 'code' in error && error.code === 'EMFILE')) throw error;
  process.stderr.write(
    'lca: could not open a file of the program (EMFILE)\n  expected: fewer open files\n  to do:    raise the limit of open files (ulimit -n)\n',
  );
  process.exitCode = 1;
}
