import { EngineError } from '../../errors.js';
import type { Graph } from '../../graph/types.js';
import { parameterCount } from '../../graph/types.js';
import { checkFeed, checkLength } from '../checks.js';
import type { Feeds, Program } from '../types.js';
import type { Arena, Library } from './library.js';

/** The graph's constants [n] one after the other, in order, as compiled code reads them. */
export function constantsOf(graph: Graph): Float64Array {
  return Float64Array.from(
    graph.constants.flatMap(({ data }) => Array.from(data as ArrayLike<number>, Number)),
  );
}

/** A compiled graph with memory of its own. Throws EngineError where there is none for it. */
export class NativeProgram implements Program {
  readonly memory: number;
  readonly #arena: Arena;
  readonly #constants: Float64Array;
  #isDisposed = false;

  constructor(
    readonly graph: Graph,
    readonly library: Library,
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
    this.#constants = constantsOf(graph);
    this.memory = arenaBytes + this.#constants.byteLength;
  }

  load(theta: Float64Array): void {
    checkLength('θ', theta.length, parameterCount(this.graph.parameters));
    this.library.load(this.#live(), theta, this.#constants);
  }

  run(feeds: Feeds, gradient?: Float64Array): Promise<number> {
    return new Promise((resolve) => {
      const wanted = gradient && this.graph.outputs.length > 1 ? gradient : null;
      if (wanted) checkLength('gradient', wanted.length, parameterCount(this.graph.parameters));
      resolve(
        this.library.run(this.#live(), wanted, ...this.graph.inputs.map((value) => checkFeed(value, feeds))),
      );
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
