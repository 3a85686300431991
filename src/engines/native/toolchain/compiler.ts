import { spawnSync } from 'node:child_process';
import { devNull } from 'node:os';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import { EngineError } from '../../../errors.js';
import { runCommand } from './command.js';
import type { Target } from './target.js';
import { hasMatrixUnit, targetOf } from './target.js';

/** A C compiler that works here. */
export interface Compiler {
  readonly command: string;
  readonly args: readonly string[];
  /** Such as `gcc 12.2.0`. */
  readonly version: string;
  readonly target: Target;
  /** Whether it compiles for a matrix unit that the processor has. */
  readonly hasMatrixUnit: boolean;
  /** Everything that the compiler says of itself and of the processor; part of the cache key. */
  readonly identity: string;
}

export type CompilerSearch =
  { readonly compiler: Compiler } | { readonly compiler: null; readonly reason: string };

const PROBE_TIMEOUT = 10_000;
/** Seconds; checked programs compile slowly, and only tests wait for them. */
const CHECKED_TIME_LIMIT = 300;

/** Processor flags, best first; the first that the compiler accepts is used. */
const processorFlags = [['-march=native'], ['-mcpu=native'], []];

/**
 * No `-ffast-math`: sums keep the order that the source states. Contraction to fused multiply-adds, which rounds once
 * instead of twice, is the only licence.
 */
const baseFlags = ['-std=gnu11', '-O2', '-fno-math-errno', '-fno-trapping-math', '-ffp-contract=fast'];
const libraryFlags = ['-shared', '-fPIC', '-fvisibility=hidden'];

function macrosOf(listing: string): Map<string, string> {
  const lines = listing.split('\n').map((line) => /^#define (\w+) ?(.*)$/.exec(line));
  return new Map(lines.filter((match) => match !== null).map((match) => [match[1]!, match[2]!]));
}

function versionOf(macros: ReadonlyMap<string, string>): string {
  const part = (name: string): string => macros.get(name) ?? '?';
  if (macros.has('__clang__')) {
    return `clang ${part('__clang_major__')}.${part('__clang_minor__')}.${part('__clang_patchlevel__')}`;
  }
  return `gcc ${part('__GNUC__')}.${part('__GNUC_MINOR__')}.${part('__GNUC_PATCHLEVEL__')}`;
}

function isSupported(macros: ReadonlyMap<string, string>): boolean {
  return macros.has('__clang__') || Number(macros.get('__GNUC__') ?? 0) >= 10;
}

function probe(command: string, extra: readonly string[]): Compiler | string {
  let complaint = '';
  for (const flags of processorFlags) {
    const args = [...extra, ...baseFlags, ...flags];
    const result = spawnSync(command, [...args, '-dM', '-E', '-x', 'c', devNull], {
      timeout: PROBE_TIMEOUT,
      encoding: 'utf8',
    });
    if (result.error) return `${command}: ${result.error.message}`;
    if (result.status === 0) {
      const macros = macrosOf(result.stdout);
      if (!isSupported(macros)) return `${command}: neither clang nor GCC 10 or newer`;
      const names = new Set(macros.keys());
      return {
        command,
        args,
        version: versionOf(macros),
        target: targetOf(names),
        hasMatrixUnit: hasMatrixUnit(names),
        identity: result.stdout,
      };
    }
    complaint = result.stderr.trim();
  }
  return `${command}: ${complaint}`;
}

/** The compiler named by `CC`, else the first of cc, clang and gcc that works. */
export function findCompiler(named: string | undefined = process.env['CC']): CompilerSearch {
  if (process.platform === 'win32') return { compiler: null, reason: 'not supported on Windows' };
  const candidates = named?.trim() ? [named.trim()] : ['cc', 'clang', 'gcc'];
  const complaints: string[] = [];
  for (const candidate of candidates) {
    const [command, ...extra] = candidate.split(/\s+/);
    const result = probe(command!, extra);
    if (typeof result !== 'string') return { compiler: result };
    complaints.push(result);
  }
  return { compiler: null, reason: `no C compiler works (${complaints.join('; ')})` };
}

/**
 * As `findCompiler`, asked once: threads that are started later know the answer. A hundred workers that each started processes to find
 * the same compiler would wait for each other until they gave up.
 */
export function knownCompiler(named: string | undefined = process.env['CC']): CompilerSearch {
  const key = `lossledger.compiler ${named ?? ''} ${process.env['PATH'] ?? ''}`;
  const known = getEnvironmentData(key) as unknown as CompilerSearch | undefined;
  if (known !== undefined) return known;
  const search = findCompiler(named);
  setEnvironmentData(key, search);
  return search;
}

/** Compiles a C file to a shared library in at most `timeLimit` seconds. Throws EngineError with the compiler's message. */
export async function compileLibrary(
  compiler: Compiler,
  source: string,
  output: string,
  timeLimit: number,
): Promise<void> {
  const args = [...compiler.args, ...libraryFlags, '-o', output, source, '-lm'];
  await compile(compiler, args, timeLimit);
}

/** Compiles a C file to a program that checks its own memory accesses and arithmetic; for tests. */
export async function compileChecked(compiler: Compiler, source: string, output: string): Promise<void> {
  const checks = ['-g', '-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
  await compile(compiler, [...compiler.args, ...checks, '-o', output, source, '-lm'], CHECKED_TIME_LIMIT);
}

async function compile(compiler: Compiler, args: readonly string[], timeLimit: number): Promise<void> {
  const result = await runCommand(compiler.command, args, 1000 * timeLimit);
  if (result.status === 0) return;
  const message = result.output.trim().split('\n').slice(0, 20).join('\n');
  throw new EngineError({
    given: `${compiler.command} failed (${result.failure ?? `exit status ${result.status}`}):\n${message}`,
    expected: `a C compiler that translates the generated code in under ${timeLimit} seconds`,
    remedy: 'set CC to another compiler, or use `--engine onnxruntime`',
  });
}
