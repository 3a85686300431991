import { GraphError } from '../../errors.js';
import { decodeModel } from '../protobuf/decode.js';
import type { Graph, Node, Tensor, ValueInfo } from '../protobuf/onnx_pb.js';
import { nodeName } from './unsupported.js';

/** Operator sets of the default domain whose semantics are known. */
export const opsets = { oldest: 11, newest: 26 } as const;

/** Larger graphs than this are refused; the largest networks have a few thousand nodes. */
const mostNodes = 50_000;

/** A decoded model whose structure has been checked: unique names, no cycles, everything that is read exists. */
export interface OnnxFile {
  readonly name: string;
  readonly producer: string;
  readonly opset: number;
  /** Those of branches and bodies of loops, too. */
  readonly initializers: ReadonlyMap<string, Tensor>;
  /** Inputs that are not initialisers. */
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** In topological order. */
  readonly nodes: readonly Node[];
}

/**
 * Decodes and checks a model file. Throws GraphError where it is damaged, too large, or of an operator set that is not
 * known.
 */
export function openModel(bytes: Uint8Array): OnnxFile {
  const model = decodeModel(bytes);
  const graph = model.graph!;
  const opset = opsetOf(model.opsetImport);
  if (graph.node.length > mostNodes) {
    throw malformed(`${graph.node.length} nodes`, `at most ${mostNodes}`, 'export a smaller network');
  }
  if (graph.sparseInitializer.length > 0) {
    throw malformed('sparse initialisers', 'dense tensors', 'export the model with dense weights');
  }
  const within = graph.node.flatMap(graphsWithin);
  const initializers = byName(
    [graph, ...within].flatMap(({ initializer }) => initializer),
    'initialiser',
  );
  const inputs = graph.input.filter((input) => !initializers.has(input.name));
  byName(inputs, 'input');
  return {
    name: graph.name,
    producer: [model.producerName, model.producerVersion].filter((text) => text !== '').join(' '),
    opset,
    initializers,
    inputs,
    outputs: graph.output,
    nodes: sorted(graph, new Set([...initializers.keys(), ...inputs.map((input) => input.name)])),
  };
}

/** The branches and bodies of a node, and of all nodes in them. */
export function graphsWithin({ attribute }: Node): Graph[] {
  const own = attribute.flatMap(({ g }) => (g === undefined ? [] : [g]));
  return own.flatMap((graph) => [graph, ...graph.node.flatMap(graphsWithin)]);
}

function opsetOf(imports: readonly { readonly domain: string; readonly version: bigint }[]): number {
  const version = Number(imports.find(({ domain }) => domain === '' || domain === 'ai.onnx')?.version ?? 0n);
  if (version >= opsets.oldest && version <= opsets.newest) return version;
  throw malformed(
    version === 0 ? 'a model without the standard operator set' : `a model of opset ${version}`,
    `opset ${opsets.oldest} to ${opsets.newest}`,
    'export it with such an operator set, or convert it with onnx.version_converter',
  );
}

function byName<T extends { readonly name: string }>(entries: readonly T[], kind: string): Map<string, T> {
  const map = new Map<string, T>();
  for (const entry of entries) {
    if (entry.name === '' || map.has(entry.name)) {
      throw malformed(
        entry.name === '' ? `an ${kind} without a name` : `two of ${kind} ${entry.name}`,
        'unique names',
        'export the model again',
      );
    }
    map.set(entry.name, entry);
  }
  return map;
}

/** Which node makes each tensor; a name may be made once. */
function producersOf(graph: Graph, given: ReadonlySet<string>): Map<string, Node> {
  const producers = new Map<string, Node>();
  for (const node of graph.node) {
    for (const name of node.output) {
      if (name === '') continue;
      if (producers.has(name) || given.has(name)) {
        throw malformed(`tensor ${name}, made twice`, 'one node for each tensor', 'export the model again');
      }
      producers.set(name, node);
    }
  }
  return producers;
}

/** The nodes in an order in which each comes after those it reads; that of the file where it is one. */
function sorted(graph: Graph, given: ReadonlySet<string>): Node[] {
  const producers = producersOf(graph, given);
  const index = new Map(graph.node.map((node, k) => [node, k]));
  const sources = graph.node.map((node) =>
    [...sourcesOf(node, producers, given)].map((source) => index.get(source)!),
  );
  if (sources.every((list, k) => list.every((source) => source < k))) return graph.node;
  const waiting = sources.map((list) => list.length);
  const readers = graph.node.map((): number[] => []);
  sources.forEach((list, k) => list.forEach((source) => readers[source]!.push(k)));
  const ready = [...waiting.keys()].filter((k) => waiting[k] === 0);
  for (let next = 0; next < ready.length; next++) {
    for (const reader of readers[ready[next]!]!) if (--waiting[reader]! === 0) ready.push(reader);
  }
  if (ready.length === graph.node.length) return ready.map((k) => graph.node[k]!);
  const stuck = graph.node[waiting.findIndex((count) => count > 0)]!;
  throw malformed(
    `a cycle through node ${nodeName(stuck)}`,
    'a graph without cycles',
    'export the model again',
  );
}

function sourcesOf(node: Node, producers: ReadonlyMap<string, Node>, given: ReadonlySet<string>): Set<Node> {
  const sources = new Set<Node>();
  // What branches and bodies read of what stands around them; what they make themselves nothing else makes.
  for (const inner of graphsWithin(node).flatMap((graph) => graph.node)) {
    for (const name of inner.input) if (producers.has(name)) sources.add(producers.get(name)!);
  }
  for (const name of node.input) {
    if (name === '' || given.has(name)) continue;
    const producer = producers.get(name);
    if (producer === undefined) {
      throw malformed(
        `node ${nodeName(node)} that reads ${name}, which nothing makes`,
        'an input, an initialiser or the output of a node',
        'export the model again',
      );
    }
    sources.add(producer);
  }
  return sources;
}

/** The error for a model that cannot be read. */
export function malformed(given: string, expected: string, remedy: string): GraphError {
  return new GraphError({ given: `ONNX model with ${given}`, expected, remedy });
}
