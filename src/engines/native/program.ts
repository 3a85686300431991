import { EngineError } from '../../errors.js';
import type { Graph } from '../../graph/types.js';
import { parameterCount } from '../../graph/types.js';
import { checkFeed, checkLength } from '../feeds.js';
import type { Feeds, Program } from '../types.js';
import type { Library, Memory } from './library.js';

function constantsOf(graph: Graph): Float64Array {
  return Float64Array.from(
    graph.constants.flatMap(({ data }) => Array.from(data as ArrayLike<number>, Number)),
  );
}

/** A compiled graph with memory of its own. */
export class NativeProgram implements Program {
  readonly #memory: Memory;
  readonly #constants: Float64Array;
  #isDisposed = false;

  constructor(
    readonly graph: Graph,
    readonly library: Library,
    memoryBytes: number,
  ) {
    const memory = library.create();
    if (memory === null) {
      throw new EngineError({
        given: `a chunk that takes ${Math.ceil(memoryBytes / 2 ** 20)} MiB of memory, which there are not`,
        expected: 'a chunk whose activations fit into memory',
        remedy: 'choose a smaller --chunk, or fewer workers',
      });
    }
    this.#memory = memory;
    this.#constants = constantsOf(graph);
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
    if (!this.#isDisposed) this.library.destroy(this.#memory);
    this.#isDisposed = true;
    return Promise.resolve();
  }

  #live(): Memory {
    if (!this.#isDisposed) return this.#memory;
    throw new EngineError({
      given: 'a program that was disposed of',
      expected: 'a live program',
      remedy: 'compile the graph again',
    });
  }
}
