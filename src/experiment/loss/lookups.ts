import type { Dataset, Examples } from '../../data/types.js';
import { feedTensors } from '../../engines/reference/bind.js';
import { evaluate } from '../../engines/reference/evaluate.js';
import { DataError } from '../../errors.js';
import { nodesFor } from '../../graph/prune.js';
import type { Graph, Node, Value } from '../../graph/types.js';
import type { Model } from '../../models/types.js';
import { onceFor } from '../../num/once.js';
import { plainChunks } from '../../objective/chunks.js';
import { sliceFeeds } from '../../objective/feeds.js';

/** Rows of a table that the numbers of the data name, such as tokens those of an embedding. */
interface Lookup {
  readonly node: Node;
  readonly indices: Value;
  /** Rows of the table. */
  readonly rows: number;
  /** Whether the indices are numbers of the data as they are; computed ones may count from the end, below zero. */
  readonly isDirect: boolean;
}

/** What moves the numbers of the data and leaves them as they are. */
const arranging: readonly string[] = ['Cast', 'Identity', 'Reshape', 'Transpose', 'Unsqueeze', 'Squeeze'];

/** The lookups that the data alone decide. */
const lookupsOf = onceFor((graph: Graph): readonly Lookup[] => {
  const trained = new Set(graph.parameters.map(({ value }) => value.id));
  const fed = new Set(graph.inputs.map(({ id }) => id));
  return nodesFor(graph, graph.outputs).flatMap((node) => {
    if (node.op !== 'Gather') return [];
    const [table, indices] = node.inputs as [Value, Value];
    const before = nodesFor(graph, [indices]);
    const read = [indices, ...before.flatMap(({ inputs }) => inputs)].flatMap((value) => value?.id ?? []);
    if (!read.some((id) => fed.has(id)) || read.some((id) => trained.has(id))) return [];
    const rows = table.shape[Number(node.attributes['axis'] ?? 0)]!;
    return [{ node, indices, rows, isDirect: before.every(({ op }) => arranging.includes(op)) }];
  });
});

/** An index that names no row. */
interface Outside {
  readonly lookup: Lookup;
  readonly index: number;
}

/** The first index outside that examples [start, end) give; null: none. */
function outsideOf(graph: Graph, examples: Examples, start: number, end: number): Outside | null {
  const lookups = lookupsOf(graph);
  const feeds = new Map(feedTensors(graph, sliceFeeds(examples, start, end)));
  const tensors = evaluate(graph, feeds, lookups.map(({ indices }) => indices)); // prettier-ignore
  for (const [k, lookup] of lookups.entries()) {
    const least = lookup.isDirect ? 0 : -lookup.rows;
    for (const index of tensors[k]!.data)
      if (!(index >= least && index < lookup.rows)) return { lookup, index };
  }
  return null;
}

/** Examples that are looked at together at most. */
const together = 256;

/**
 * Throws DataError where a number of the data, such as a token or a label, names no row of what a network looks up by it. Engines would tell that in the
 * middle of a run, and take a negative one for a row counted from the end, as ONNX does. No more examples than the `chunk` that the user states, null for none, are looked at together:
 * some networks can be built for so many alone.
 */
export function requireLookups(
  model: Model,
  { name, splits, transform }: Dataset,
  chunk: number | null = null,
): void {
  const build = (examples: number) => model.build({ examples, training: false, transform });
  const one = build(1);
  if (lookupsOf(one).length === 0) return;
  const size = Math.min(together, chunk ?? together);
  let whole: Graph | null = null;
  for (const [set, examples] of Object.entries(splits)) {
    for (const { start, end } of plainChunks(examples.count, size)) {
      const graph = end - start === size ? (whole ??= build(size)) : build(end - start);
      if (outsideOf(graph, examples, start, end) === null) continue;
      for (let example = start; example < end; example++) {
        const found = outsideOf(one, examples, example, example + 1);
        if (found !== null) throw namesNoRow(found, `example ${example} of ${set}`, name, model.name);
      }
    }
  }
}

function namesNoRow({ lookup, index }: Outside, where: string, data: string, network: string): DataError {
  const { node, rows, isDirect } = lookup;
  return new DataError({
    given: `data set ${data} with ${isDirect ? `the number ${index}` : 'a number'} in ${where} that names nothing in what network ${network} looks up by it (node ${node.name})`,
    expected: isDirect ? `whole numbers from 0 to ${rows - 1}` : 'numbers of classes or rows that the network has',
    remedy: 'check tokens, labels and padding of the data against the network’s vocabulary and classes',
  });
} // prettier-ignore
