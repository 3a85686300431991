import { readFileSync } from 'node:fs';
import { arch, cpus } from 'node:os';
import { StoreError } from '../../errors.js';
import { engineNamed } from '../../engines/registry.js';
import { version } from '../../experiment/version.js';
import { differences, type Environment } from '../../format/parts/environment.js';
import type { Manifest } from '../../format/manifest.js';
import { isProcessRun } from '../process/process.js';

/** Instruction sets by which engines choose among kernels whose sums have different orders. */
const instructionSets = [
  'sse4_1', 'avx', 'f16c', 'fma', 'avx2', 'avx_vnni', 'avx512f', 'avx512dq', 'avx512bw', 'avx512vl', 'avx512_vnni', 'avx512_bf16', 'avx512_fp16', 'amx_tile', 'amx_int8', 'amx_bf16',
  'asimd', 'asimddp', 'asimdhp', 'i8mm', 'bf16', 'sve', 'sve2',
]; // prettier-ignore

/** What decides the bits that this machine computes for a run. */
export async function environmentHere(manifest: Manifest): Promise<Environment> {
  return {
    lossledger: version,
    javascript: process.versions.v8.split('.').slice(0, 2).join('.'),
    engine: await engineHere(manifest),
    library: libraryVersion(),
    processor: [arch(), ...instructionSetsHere()],
  };
}

/** The engine here; of a program of the user's its statement, which each worker compares with what the program says there. */
async function engineHere(manifest: Manifest): Promise<Environment['engine']> {
  const { name, version: stated } = manifest.engine;
  if (!isProcessRun(manifest)) return { name, version: (await engineNamed(name)).version() };
  return { name, version: `${stated}, statement ${manifest.definition.splitHash.slice(0, 16)}` };
}

/** Version of the C library as the system tells it. */
function libraryVersion(): string | null {
  // Looking up the names of open connections may take seconds.
  Object.assign(process.report, { excludeNetwork: true });
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime === undefined ? null : `glibc ${header.glibcVersionRuntime}`;
}

/** Those that the system states; where it states none, the processor's name. */
function instructionSetsHere(): string[] {
  try {
    const words = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1];
    if (words !== undefined) return instructionSets.filter((set) => words.split(' ').includes(set));
  } catch {
    // No such file outside Linux.
  }
  return [cpus()[0]?.model ?? 'unknown'];
}

/** Throws StoreError where this machine would give other bits than those that the plan is for. */
export function requireSame(given: Environment, expected: Environment): void {
  const others = differences(given, expected);
  if (others.length === 0) return;
  throw new StoreError({
    given: `a machine with ${others.join(', ')}`,
    expected: 'what the plan was made for: other machines and versions give other bits',
    remedy: 'work on such a machine, plan anew on one of this kind (lca plan RUN --tasks N --anew), or add --mixed, which the report then states',
  }); // prettier-ignore
}
