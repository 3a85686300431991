import { grantCode } from './emit/matrix-unit.js';
import { openShared } from './library.js';
import { cachedLibrary, type CacheOptions } from './toolchain/cache.js';
import type { Compiler } from './toolchain/compiler.js';

const source = `${grantCode}
__attribute__((visibility("default"))) int lossledger_tiles(void) { return tiles_granted(); }
`;

/** Whether the system lets this process use tiles of AMX; false where it knows none. Throws EngineError where it cannot be asked. */
export async function grantsTiles(compiler: Compiler, cache: CacheOptions): Promise<boolean> {
  return openShared(await cachedLibrary(compiler, source, cache), (library) => {
    const tiles = library.func('int lossledger_tiles()');
    return tiles() === 1;
  });
}

/** Why the processor's matrix unit cannot be used here; null where it can. */
export async function matrixUnitObstacle(compiler: Compiler, cache: CacheOptions): Promise<string | null> {
  if (!compiler.hasMatrixUnit) {
    return `the processor has no matrix unit for bfloat16 (AMX, in Intel's server processors since 2023), or ${compiler.version} does not know it (gcc 11 and clang 12 do)`;
  }
  if (await grantsTiles(compiler, cache)) return null;
  return 'the system does not grant the state of AMX tiles to this process (Linux 5.16 or newer does)';
}
