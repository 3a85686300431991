import { EngineError } from '../../errors.js';
import type { Graph, Value } from '../../graph/types.js';
import { checkFeed, type Feed } from '../checks.js';
import type { Feeds } from '../types.js';

/** A copy of an array [n] in shared memory, which ONNX Runtime does not take; any other array itself. */
export function ownMemory(feed: Feed): Feed {
  return feed.buffer instanceof SharedArrayBuffer ? feed.slice() : feed;
}

/** Labels that index classes. ONNX Runtime would take one out of range for an example without a class. */
export class LabelRange {
  constructor(
    readonly labels: Value,
    readonly classes: number,
  ) {}

  /** Throws EngineError where a label is none of the classes. */
  check(feeds: Feeds): void {
    const labels = checkFeed(this.labels, feeds);
    for (let k = 0; k < labels.length; k++) {
      const label = Number(labels[k]);
      if (label < 0 || label >= this.classes) throw this.#outOfRange(label, k);
    }
  }

  #outOfRange(label: number, index: number): EngineError {
    return new EngineError(
      {
        given: `label ${label} of example ${index} of the chunk`,
        expected: `a class in [0, ${this.classes - 1}]`,
        remedy: "check the data set's labels, or the model's number of outputs",
      },
      { exitCode: 2 },
    );
  }
}

/** The graph's inputs that a loss reads as labels. */
export function labelRanges(graph: Graph): LabelRange[] {
  const inputs = new Set(graph.inputs);
  return graph.nodes
    .filter((node) => node.op === 'SoftmaxCrossEntropyLoss' && inputs.has(node.inputs[1]!))
    .map((node) => new LabelRange(node.inputs[1]!, node.inputs[0]!.shape[1]!));
}
