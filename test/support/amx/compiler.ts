import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NativeOptions } from '../../../src/engines/native/index.js';
import { findCompiler } from '../../../src/engines/native/toolchain/compiler.js';
import { temporaryFolder } from '../temporary-folder.js';

const instructions = join(import.meta.dirname, 'instructions.c');
const flags = ['-mamx-tile', '-mamx-bf16'];

/**
 * A compiler for AMX on a processor that has all but that: what it compiles is linked to `instructions.c`, which carries out the instructions
 * that the processor refuses. Null where the processor has AMX, or lacks more, or the compiler does not know AMX.
 */
export function compilerForAmx(): Pick<NativeOptions, 'compiler' | 'cacheFolder'> | null {
  const { compiler } = findCompiler();
  if (compiler === null || compiler.hasMatrixUnit || process.platform !== 'linux') return null;
  if (compiler.target.name !== 'avx512') return null;
  const folder = temporaryFolder();
  const library = join(folder, 'libinstructions.so');
  const own = ['-O2', '-march=native', '-ffp-contract=off', '-fno-trapping-math', '-shared', '-fPIC'];
  const { status } = spawnSync(compiler.command, [...own, ...flags, '-o', library, instructions, '-lm']);
  if (status !== 0) return null;
  const command = join(folder, 'cc');
  const added = [...flags, '-Dsyscall=lossledger_syscall', library, `-Wl,-rpath,${folder}`];
  const words = [compiler.command, '"$@"', ...added.map((word) => `'${word}'`)];
  writeFileSync(command, `#!/bin/sh\nexec ${words.join(' ')}\n`, { mode: 0o755 });
  return { compiler: command, cacheFolder: folder };
}
