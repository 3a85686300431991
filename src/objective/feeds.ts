import { type Examples, feedNameOf } from '../data/types.js';
import type { Feeds } from '../engines/types.js';
import { type Chunk, isMasked, type MaskedExamples, sizeOfChunk } from './chunks.js';

/** How graphs are told what does not count (see LossOptions.masked). */
export interface Masks {
  /** Numbers of an example in the input `included`: 1, or one for each of its labels or losses. */
  readonly rows: number;
  /** Whether labels that do not count are fed as class 0. */
  readonly zeroLabels: boolean;
}

/** Masks of whole examples. */
export const exampleMasks: Masks = { rows: 1, zeroLabels: false };

/** The arrays of the examples from `start` to before `end` by the names under which graphs read them: views. */
export function sliceFeeds(examples: Examples, start: number, end: number) {
  const { inputs, labels, further = [], count } = examples;
  const rows = <A extends Examples['inputs']>(array: A): A => {
    const width = array.length / Math.max(1, count);
    return array.subarray(start * width, end * width) as A;
  };
  const others = further.map(({ name, values }) => [feedNameOf(name), rows(values)] as const);
  return { x: rows(inputs), labels: rows(labels), ...Object.fromEntries(others) };
}

/** The feeds of one chunk: views on the examples, and what is masked where not all count. */
export function feedsOf(masked: MaskedExamples, chunk: Chunk, masks: Masks): Feeds {
  const { labels, ...inputs } = sliceFeeds(masked.examples, chunk.start, chunk.start + sizeOfChunk(chunk));
  if (!isMasked(chunk)) return { ...inputs, labels };
  const included = includedOf(masked, chunk, masks.rows);
  if (!masks.zeroLabels) return { ...inputs, labels, included };
  return { ...inputs, labels: labels.map((label, row) => (included[row] === 1 ? label : 0)), included };
}

/** 1 for each of a chunk's rows (examples, labels or losses) that counts, else 0 [examples · rows]. */
function includedOf({ cells }: MaskedExamples, chunk: Chunk, rows: number): Float32Array {
  const { start, end, cell, layer = 0 } = chunk;
  const included = new Float32Array(sizeOfChunk(chunk) * rows);
  if (cell === undefined) return included.fill(1, 0, (end - start) * rows);
  const { layers, rows: cellRows = 1 } = cells!;
  const [cellOf, width] = [layers[layer]!, rows / cellRows];
  for (let row = 0; row < (end - start) * cellRows; row++) {
    if (cellOf[start * cellRows + row] === cell) included.fill(1, row * width, (row + 1) * width);
  }
  return included;
}
