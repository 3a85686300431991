import { EngineError } from '../../errors.js';
import type { Constant, Value } from '../../graph/types.js';
import { checkFeed, checkLength } from '../checks.js';
import type { Feeds, Program } from '../types.js';
import { type Arena, type Library, loadLibrary } from './library.js';

/** A network whose library is compiled, and what calling it takes. */
export interface PreparedNetwork {
  /** Path of the library, which was found to be intact. */
  readonly library: string;
  readonly inputs: readonly Value[];
  /** K */
  readonly parameters: number;
  readonly hasGradients: boolean;
  /** Whether it can be run again with its varied input alone. */
  readonly runsAgain: boolean;
  /** Constants [n] one after the other. */
  readonly constants: Float64Array;
  /** Bytes that it works in. */
  readonly memory: number;
}

/** Constants [n] one after the other, in order, as compiled code reads them. */
export function numbersOf(constants: readonly Constant[]): Float64Array {
  return Float64Array.from(constants.flatMap(({ data }) => Array.from(data as ArrayLike<number>, Number)));
}

/** A program with memory of its own. Needs no part of the engine that lowers graphs and writes code. Throws EngineError. */
export function openPrepared(network: PreparedNetwork): NativeProgram {
  const { library, inputs, runsAgain } = network;
  return new NativeProgram(network, loadLibrary(library, inputs.length, runsAgain));
}

/** A compiled graph with memory of its own. Throws EngineError where there is none for it. */
export class NativeProgram implements Program {
  readonly memory: number;
  readonly #arena: Arena;
  #isDisposed = false;
  /** Whether the last run had a gradient, so that all is there which a rerun for one needs. */
  #ranWhole = false;

  constructor(
    readonly network: PreparedNetwork,
    readonly library: Library,
  ) {
    const arena = library.create();
    if (arena === null) {
      throw new EngineError({
        given: `a chunk that takes ${Math.ceil(network.memory / 2 ** 20)} MiB of memory, which there are not`,
        expected: 'a chunk whose activations fit into memory',
        remedy: 'choose a smaller --chunk, or fewer workers',
      });
    }
    this.#arena = arena;
    this.memory = network.memory + network.constants.byteLength;
  }

  load(theta: Float64Array): void {
    checkLength('θ', theta.length, this.network.parameters);
    this.library.load(this.#live(), theta, this.network.constants);
  }

  run(feeds: Feeds, gradient?: Float64Array): Promise<number> {
    return this.#call(this.library.run, feeds, this.#wanted(gradient));
  }

  /** As `run`, with the feeds of the call before but for what masks examples; adds to the gradient [K]. */
  rerun(feeds: Feeds, gradient?: Float64Array): Promise<number> {
    const wanted = this.#wanted(gradient);
    const { run, again } = this.library;
    return this.#call(again === null || (wanted !== null && !this.#ranWhole) ? run : again, feeds, wanted);
  }

  #wanted(gradient: Float64Array | undefined): Float64Array | null {
    return gradient !== undefined && this.network.hasGradients ? gradient : null;
  }

  #call(run: Library['run'], feeds: Feeds, wanted: Float64Array | null): Promise<number> {
    return new Promise((resolve) => {
      const { inputs, parameters } = this.network;
      if (wanted) checkLength('gradient', wanted.length, parameters);
      if (run === this.library.run) this.#ranWhole = wanted !== null;
      resolve(run(this.#live(), wanted, ...inputs.map((value) => checkFeed(value, feeds))));
    });
  }

  dispose(): Promise<void> {
    if (!this.#isDisposed) this.library.destroy(this.#arena);
    this.#isDisposed = true;
    return Promise.resolve();
  }

  #live(): Arena {
    if (!this.#isDisposed) return this.#arena;
    throw new EngineError({
      given: 'a program that was disposed of',
      expected: 'a live program',
      remedy: 'compile the graph again',
    });
  }
}
