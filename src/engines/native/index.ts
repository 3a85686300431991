import { EngineError, isLossledgerError } from '../../errors.js';
import type { VectorLoops } from '../../num/vector-loops.js';
import { type Graph, parameterCount } from '../../graph/types.js';
import { checkOutputs } from '../checks.js';
import type { Availability, Engine, PreparedProgram, Program, ProgramPlan } from '../types.js';
import { generateModule } from './emit/module.js';
import { loadKoffi } from './library.js';
import { lowerToSteps } from './lower/index.js';
import { matrixUnitObstacle } from './matrix-unit.js';
import { planModule } from './plan/memory.js';
import { numbersOf, openPrepared, type PreparedNetwork } from './program.js';
import { cachedLibrary, type CacheOptions, removeTemporaryAtEnd } from './toolchain/cache.js';
import type { Compiler, CompilerSearch } from './toolchain/compiler.js';
import { knownCompiler } from './toolchain/compiler.js';
import type { MatrixUnit, Target } from './toolchain/target.js';
import { compiledLoops } from './vector-loops.js';

export interface NativeOptions {
  /** Compiler command; default `CC`, else the first of cc, clang and gcc that works. */
  readonly compiler?: string;
  /** Where compiled libraries are kept; default `$XDG_CACHE_HOME/lossledger/native`. */
  readonly cacheFolder?: string;
  /** Seconds that the compiler may take; default 120. */
  readonly timeLimit?: number;
  /** What multiplies in layers of bytes instead of vectors; default: nothing. */
  readonly matrixUnit?: MatrixUnit;
}

/** Counts up when the same graph gives other numbers. */
const GENERATOR = 6;

function checkGraph(graph: Graph): void {
  checkOutputs(graph);
  if (graph.inputs.length > 0) return;
  throw new EngineError({
    given: `graph ${graph.name} without inputs`,
    expected: 'a graph whose first input holds the examples of a chunk',
    remedy: 'use the onnxruntime or the reference engine',
  });
}

/** What code is generated for. */
const nameOf = ({ name, matrixUnit }: Target): string =>
  matrixUnit === null ? name : `${name} and ${matrixUnit}`;

/** A compiler whose code uses a matrix unit. */
function withUnit(search: CompilerSearch, matrixUnit: MatrixUnit | undefined): CompilerSearch {
  if (search.compiler === null || matrixUnit === undefined) return search;
  return { compiler: { ...search.compiler, target: { ...search.compiler.target, matrixUnit } } };
}

/** Why compiled code cannot be called here; null where it can. */
function koffiProblem(): string | null {
  try {
    loadKoffi();
    return null;
  } catch (error) {
    if (!isLossledgerError(error)) throw error;
    return `${error.problem.given}; ${error.problem.remedy}`;
  }
}

/**
 * The engine that writes C for a graph, has it compiled by the system's compiler, and calls it. With a matrix unit, products of float32 and
 * bytes are split into some of bfloat16 (`native-split`).
 */
export class NativeEngine implements Engine {
  readonly name: 'native' | 'native-split';
  readonly facts = { precision: 'float32', fills: 'thread', interruptible: true } as const;
  readonly #options: NativeOptions;
  #search: CompilerSearch | null = null;
  /** Asked for by every task of a worker: found and loaded once. */
  #loops: Promise<VectorLoops> | null = null;

  constructor(options: NativeOptions = {}) {
    removeTemporaryAtEnd();
    this.#options = options;
    this.name = options.matrixUnit === undefined ? 'native' : 'native-split';
  }

  #find(): CompilerSearch {
    return (this.#search ??= withUnit(knownCompiler(this.#options.compiler), this.#options.matrixUnit));
  }

  async available(): Promise<Availability> {
    const search = this.#find();
    if (search.compiler === null) {
      const reason = `${search.reason}; install gcc or clang, or name one in CC`;
      return { ok: false, reason };
    }
    const problem = koffiProblem() ?? (await this.#unitObstacle(search.compiler));
    if (problem !== null) return { ok: false, reason: problem };
    const { version, target } = search.compiler;
    return { ok: true, detail: `C by ${version} for ${nameOf(target)}` };
  }

  async #unitObstacle(compiler: Compiler): Promise<string | null> {
    return this.#options.matrixUnit === 'amx' ? matrixUnitObstacle(compiler, this.#cache()) : null;
  }

  version(): string {
    const { compiler } = this.#find();
    return `${this.name} ${GENERATOR}${compiler ? ` ${compiler.version} ${nameOf(compiler.target)}` : ''}`;
  }

  plan(graph: Graph): ProgramPlan {
    checkGraph(graph);
    const { target } = this.#requireCompiler();
    const steps = lowerToSteps(graph, target);
    const { layout } = planModule(steps, target);
    return { memory: layout.bytes + numbersOf(steps.constants).byteLength };
  }

  sameAsPlain(graph: Graph): string | null {
    const { usesMatrixUnit } = lowerToSteps(graph, this.#requireCompiler().target);
    return usesMatrixUnit ? null : 'no layer of this network takes bytes as they are fed';
  }

  async compile(graph: Graph): Promise<Program> {
    return openPrepared(await this.#prepare(graph));
  }

  async prepare(graph: Graph): Promise<PreparedProgram> {
    return { engine: this.name, content: await this.#prepare(graph) };
  }

  loops(): Promise<VectorLoops> {
    return (this.#loops ??= compiledLoops(this.#requireCompiler(), this.#cache()));
  }

  async #prepare(graph: Graph): Promise<PreparedNetwork> {
    checkGraph(graph);
    const compiler = this.#requireCompiler();
    const steps = lowerToSteps(graph, compiler.target);
    const { source, memory } = generateModule(steps, compiler.target);
    return {
      library: await cachedLibrary(compiler, source, this.#cache()),
      inputs: graph.inputs,
      parameters: parameterCount(graph.parameters),
      hasGradients: graph.outputs.length > 1,
      runsAgain: graph.varied !== undefined,
      constants: numbersOf(steps.constants),
      memory,
    };
  }

  #cache(): CacheOptions {
    const { cacheFolder: folder, timeLimit } = this.#options;
    return { folder, timeLimit };
  }

  #requireCompiler(): Compiler {
    const search = this.#find();
    if (search.compiler !== null) return search.compiler;
    throw new EngineError({
      given: `the native engine, but ${search.reason}`,
      expected: 'a C compiler (gcc 10 or newer, or clang)',
      remedy: 'install one, name one in CC, or use `--engine onnxruntime`',
    });
  }
}
