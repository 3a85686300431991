import { dataTypeName } from '../../protobuf/dtypes.js';
import type { Node } from '../../protobuf/onnx_pb.js';
import { readTensor, type ExternalData } from '../../protobuf/tensor.js';
import type { OnnxFile } from '../file.js';
import { isAnonymous } from '../parameters/roles.js';
import { readersOf, type Readers } from '../parameters/uses.js';

/** An array of a layer as PyTorch keeps it. */
export interface FoldedArray {
  /** `weight_ih`, `weight_hh`, `bias_ih` or `bias_hh`. */
  readonly kind: string;
  readonly isReverse: boolean;
  readonly shape: readonly number[];
  /** Its numbers in the file, row-major, gates in PyTorch's order. */
  data(): Float32Array;
}

/** A layer of PyTorch's LSTM, GRU or RNN whose arrays the exporter folded into the operator's W, R and B. */
export interface FoldedLayer {
  /** The nodes that compute it, in the order of the file; several where its module is called again. */
  readonly nodes: readonly Node[];
  /** Names of W, R and, where there are biases, B, as the first of its nodes reads them. */
  readonly stored: readonly string[];
  /** In the order in which PyTorch declares them: of each direction weight_ih, weight_hh, and the biases. */
  readonly arrays: readonly FoldedArray[];
  /** Place in the list of the layer whose outputs it reads; null: of none, or not of one alone. */
  readonly above: number | null;
}

/** For each gate in ONNX's order, its place in PyTorch's: input, output, forget, cell of i, f, g, o; update, reset, hidden of r, z, n. */
export const gatePlaces: Readonly<Record<string, readonly number[]>> = {
  LSTM: [0, 3, 1, 2],
  GRU: [1, 0, 2],
  RNN: [0],
};

/** Blocks of rows of which `places` says where each stood, put back there. */
function unpermuted(data: ArrayLike<number>, places: readonly number[]): Float32Array {
  const block = data.length / places.length;
  const result = new Float32Array(data.length);
  places.forEach((place, k) => {
    for (let at = 0; at < block; at++) result[place * block + at] = data[k * block + at]!;
  });
  return result;
}

/** One reading of a layer, before it is known whether others are of the same. */
interface Found {
  readonly node: Node;
  readonly stored: readonly string[];
  readonly shapes: readonly (readonly number[])[];
}

const integer = ({ attribute }: Node, name: string): number =>
  Number(attribute.find((each) => each.name === name)?.i ?? 0n);

/** Whether extents are those of W [D, G·H, I], R [D, G·H, H] and B [D, 2·G·H] for D directions. */
function fitTogether([w, r, b]: Found['shapes'], gates: number, directions: number): boolean {
  if (w?.length !== 3 || r?.length !== 3 || w[0] !== directions) return false;
  const rows = w[1]!;
  const fits = r[0] === directions && r[1] === rows && rows === gates * r[2]! && rows > 0 && w[2]! > 0;
  return fits && (b === undefined || (b.length === 2 && b[0] === directions && b[1] === 2 * rows));
}

/** A node whose weights are all initialisers without names that nothing else reads, as PyTorch's exporter leaves them; else null. */
function foundIn({ initializers }: OnnxFile, readers: Readers, node: Node): Found | null {
  const gates = gatePlaces[node.opType]?.length;
  const direction = node.attribute.find(({ name }) => name === 'direction')?.s ?? 'forward';
  if (gates === undefined || direction === 'reverse' || integer(node, 'layout') !== 0) return null;
  if (node.opType === 'GRU' && integer(node, 'linear_before_reset') !== 1) return null;
  const stored = node.input.slice(1, 4).filter((name) => name !== '');
  const tensors = stored.map((name) => initializers.get(name));
  const isFolded = (name: string, k: number): boolean => {
    const tensor = tensors[k];
    const isOwn = readers.get(name)?.every(([reader, index]) => reader === node && index === k + 1) ?? false;
    const isNameless = isAnonymous(name) || /^\d+$/.test(name);
    return isNameless && isOwn && tensor !== undefined && dataTypeName(tensor.dataType) === 'float32';
  };
  if (stored.length < 2 || !stored.every(isFolded)) return null;
  const shapes = tensors.map((tensor) => tensor!.dims.map(Number));
  return fitTogether(shapes, gates, direction === 'bidirectional' ? 2 : 1) ? { node, stored, shapes } : null;
}

/** Operators between the outputs of a layer and the inputs of the next. */
const passing = new Set(['Squeeze', 'Transpose', 'Reshape', 'Identity', 'Dropout', 'Cast']);

/** The node of a recurrent layer whose outputs a node reads, but for their order and shape; null: it reads something else. */
function nodeAbove(node: Node, producers: ReadonlyMap<string, Node>): Node | null {
  let name = node.input[0] ?? '';
  for (let maker = producers.get(name); maker !== undefined; maker = producers.get(name)) {
    if (gatePlaces[maker.opType] !== undefined) return maker.output[0] === name ? maker : null;
    if (!passing.has(maker.opType)) return null;
    name = maker.input[0] ?? '';
  }
  return null;
}

/** The arrays of PyTorch that W, R and B of a node were folded from. */
function arraysOf(
  { initializers }: OnnxFile,
  { node, stored, shapes }: Found,
  external?: ExternalData,
): FoldedArray[] {
  const places = gatePlaces[node.opType]!;
  const numbers = (k: number, start: number, length: number): Float32Array => {
    const { data } = readTensor(initializers.get(stored[k]!)!, external);
    return unpermuted(data.subarray(start, start + length), places);
  };
  const [directions, rows] = shapes[0] as readonly [number, number];
  return Array.from({ length: directions }, (_, d) => {
    const isReverse = d === 1;
    const weights = ['weight_ih', 'weight_hh'].map((kind, k) => {
      const shape = shapes[k]!.slice(1);
      const size = rows * shape[1]!;
      return { kind, isReverse, shape, data: () => numbers(k, d * size, size) };
    });
    const biases = ['bias_ih', 'bias_hh'].map((kind, k) => ({
      kind,
      isReverse,
      shape: [rows],
      data: () => numbers(2, (2 * d + k) * rows, rows),
    }));
    return stored.length === 3 ? [...weights, ...biases] : weights;
  }).flat();
}

/** Files of more such nodes are left as they are. */
const mostLayers = 1000;
/** Fewer different numbers than this may agree by chance. */
const fewestDistinct = 3;

/** Whether two readings have the same numbers: one module, called twice. Null: so few different ones that this may be chance. */
function areSame({ initializers }: OnnxFile, a: Found, b: Found, external?: ExternalData): boolean | null {
  if (a.node.opType !== b.node.opType || a.shapes.join('|') !== b.shapes.join('|')) return false;
  const read = (name: string) => readTensor(initializers.get(name)!, external).data;
  const same = a.stored.every((name, k) => {
    const other = read(b.stored[k]!);
    return read(name).every((value, at) => Object.is(value, other[at]));
  });
  return same && new Set(read(a.stored[0]!)).size < fewestDistinct ? null : same;
}

/**
 * The recurrent layers of a file of PyTorch's exporter whose arrays were folded: rows of gates in ONNX's order, the biases end to end,
 * directions stacked, all without names. Empty where there are none, or where it is open which nodes are of one layer.
 */
export function foldedLayers(file: OnnxFile, external?: ExternalData): FoldedLayer[] {
  if (!file.producer.startsWith('pytorch')) return [];
  const readers = readersOf(file.nodes);
  const producers = new Map(file.nodes.flatMap((node) => node.output.map((name) => [name, node])));
  const layers: { found: Found; nodes: Node[] }[] = [];
  const all = file.nodes.flatMap((node) => foundIn(file, readers, node) ?? []);
  if (all.length > mostLayers) return [];
  for (const found of all) {
    const same = layers.map((layer) => areSame(file, layer.found, found, external));
    if (same.includes(null)) return [];
    const layer = layers[same.indexOf(true)];
    if (layer === undefined) layers.push({ found, nodes: [found.node] });
    else layer.nodes.push(found.node);
  }
  const above = ({ nodes }: { nodes: readonly Node[] }): number | null => {
    const places = nodes.map((node) => {
      const maker = nodeAbove(node, producers);
      return layers.findIndex((layer) => maker !== null && layer.nodes.includes(maker));
    });
    return places[0]! >= 0 && places.every((place) => place === places[0]) ? places[0]! : null;
  };
  return layers.map((layer) => ({
    nodes: layer.nodes,
    stored: layer.found.stored,
    arrays: arraysOf(file, layer.found, external),
    above: above(layer),
  }));
}
