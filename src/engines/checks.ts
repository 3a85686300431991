import { EngineError } from '../errors.js';
import type { Graph, Value } from '../graph/types.js';
import { sizeOf } from '../graph/types.js';
import type { Feeds } from './types.js';

export type Feed = Feeds[string];

const arrayOf = {
  float32: Float32Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const;

/** The array [...shape] fed for an input, of the right type and length. Throws EngineError. */
export function checkFeed(value: Value, feeds: Feeds): Feed {
  const feed = feeds[value.name];
  const expected = arrayOf[value.dtype];
  if (feed instanceof expected && feed.length === sizeOf(value.shape)) return feed;
  throw new EngineError({
    given:
      feed === undefined ? `no array for input ${value.name}` : `${describe(feed)} for input ${value.name}`,
    expected: `${expected.name} of ${sizeOf(value.shape)} elements, shape [${value.shape.join(', ')}]`,
    remedy: 'feed one whole chunk in row-major order',
  });
}

function describe(feed: Feed): string {
  return `${feed.constructor.name} of ${feed.length} elements`;
}

/** Throws EngineError where an array has another length than the graph declares. */
export function checkLength(what: string, given: number, expected: number): void {
  if (given === expected) return;
  throw new EngineError({
    given: `${what} with ${given} numbers`,
    expected: `${expected} numbers`,
    remedy: 'feed what the graph declares',
  });
}

/** Throws EngineError where a graph's outputs are not a scalar loss, alone or with the gradient of every parameter. */
export function checkOutputs(graph: Graph): void {
  const wanted = graph.parameters.length + 1;
  const [loss] = graph.outputs;
  if (loss !== undefined && sizeOf(loss.shape) === 1 && [1, wanted].includes(graph.outputs.length)) return;
  throw new EngineError({
    given: `graph ${graph.name} with ${graph.outputs.length} outputs`,
    expected: `a scalar loss, alone or followed by ${wanted - 1} gradients`,
    remedy: 'attach a loss, and differentiate it',
  });
}
