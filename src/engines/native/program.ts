import { EngineError } from '../../errors.js';
import type { Constant, Graph } from '../../graph/types.js';
import { parameterCount } from '../../graph/types.js';
import { checkFeed, checkLength } from '../checks.js';
import type { Feeds, Program } from '../types.js';
import type { Arena, Library } from './library.js';

/** Constants [n] one after the other, in order, as compiled code reads them. */
export function numbersOf(constants: readonly Constant[]): Float64Array {
  return Float64Array.from(constants.flatMap(({ data }) => Array.from(data as ArrayLike<number>, Number)));
}

/** A compiled graph with memory of its own. Throws EngineError where there is none for it. */
export class NativeProgram implements Program {
  readonly memory: number;
  readonly #arena: Arena;
  readonly #constants: Float64Array;
  #isDisposed = false;
  /** Whether the last run had a gradient, so that all is there which a rerun for one needs. */
  #ranWhole = false;

  constructor(
    readonly graph: Graph,
    readonly library: Library,
    constants: readonly Constant[],
    arenaBytes: number,
  ) {
    const arena = library.create();
    if (arena === null) {
      throw new EngineError({
        given: `a chunk that takes ${Math.ceil(arenaBytes / 2 ** 20)} MiB of memory, which there are not`,
        expected: 'a chunk whose activations fit into memory',
        remedy: 'choose a smaller --chunk, or fewer workers',
      });
    }
    this.#arena = arena;
    this.#constants = numbersOf(constants);
    this.memory = arenaBytes + this.#constants.byteLength;
  }

  load(theta: Float64Array): void {
    checkLength('θ', theta.length, parameterCount(this.graph.parameters));
    this.library.load(this.#live(), theta, this.#constants);
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
    return gradient !== undefined && this.graph.outputs.length > 1 ? gradient : null;
  }

  #call(run: Library['run'], feeds: Feeds, wanted: Float64Array | null): Promise<number> {
    return new Promise((resolve) => {
      if (wanted) checkLength('gradient', wanted.length, parameterCount(this.graph.parameters));
      if (run === this.library.run) this.#ranWhole = wanted !== null;
      resolve(run(this.#live(), wanted, ...this.graph.inputs.map((value) => checkFeed(value, feeds))));
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
