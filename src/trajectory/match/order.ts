import { sizeOf } from '../../formats/array.js';
import type { Reading } from '../../formats/reading.js';
import { misfit } from '../../formats/source.js';
import { described, listed } from '../checks.js';
import { permuted, rowsToCompare, sameNumbers, tensorflowAxes, toFloat32 } from './values.js';
import type { ModelTensor, ModelWeights, RecordedPart, Recording } from '../types.js';

/** The parameters that a θ without names consists of, end to end, and what showed their order. */
export interface FlatOrder {
  /** In the order of θ. */
  readonly parts: readonly { readonly tensor: ModelTensor; readonly axes: readonly number[] | null }[];
  readonly readings: readonly Reading[];
}

const about = 'order of θ';

/**
 * The order of `members`, the parameters that make up a θ without names. It is shown by the model file's values, where they are those
 * of a row; by the names of a sequential network; or by an exporter that keeps the order of declaration. Throws DataError where nothing
 * shows it.
 */
export async function orderOfTheta(
  recording: Recording,
  members: readonly ModelTensor[],
  { declared }: ModelWeights,
): Promise<FlatOrder> {
  const asListed = (evidence: string, tensors = members): FlatOrder => ({
    parts: tensors.map((tensor) => ({ tensor, axes: null })),
    readings: [{ about, decision: listed(tensors.map(({ name }) => name)), evidence }],
  });
  if (members.length === 1) return asListed('there is one parameter');
  // What an exporter folds it puts behind everything else, in another form than the one in which it was declared.
  const folded = members.filter(({ anonymous }) => anonymous);
  const keeper = folded.length > 0 ? null : declared;
  const byValues = await orderByValues(recording, members, keeper);
  if (byValues !== null) return byValues;
  const sequential = sequentialOrder(members);
  if (sequential !== null) return asListed('the names of a sequential network', sequential);
  if (keeper !== null && isModular(members)) return asListed(`${keeper} keeps the order of declaration`);
  throw noOrder(recording, members, folded);
}

function noOrder(
  recording: Recording,
  members: readonly ModelTensor[],
  folded: readonly ModelTensor[],
): Error {
  const names = listed(folded.map(({ name }) => name));
  return misfit(
    recording.name,
    `θ without names, and nothing that shows the order of its parameters${folded.length > 0 ? `, of which the exporter folded ${names}` : ''}`,
    `the order of ${listed(members.map(described))}`,
    folded.length > 0
      ? 'record one array per parameter under its name; or export with do_constant_folding=False, which leaves parameters their names, forms and order'
      : 'record one array per parameter under its name; or give the names in the order of θ with --names A,B,… (or a file, one a line)',
  );
}

/** A place of θ filled by a tensor in one orientation. */
interface Piece {
  readonly tensor: ModelTensor;
  readonly axes: readonly number[] | null;
}

/** Steps of the search at most, and orders that are kept. */
const maxSteps = 100_000;
const maxOrders = 64;

/** The order in which the file's values are those of a row; null where they are those of none. Throws where several
 * orders fit and nothing tells them apart. */
async function orderByValues(
  recording: Recording,
  members: readonly ModelTensor[],
  declared: string | null,
): Promise<FlatOrder | null> {
  const values = new Map(members.map((tensor) => [tensor, tensor.data()]));
  if (![...values.values()].every((data) => data !== null)) return null;
  const forms = members.map((tensor) => formsOf(tensor, values.get(tensor)!));
  for (const t of rowsToCompare(recording)) {
    const theta = toFloat32(await recording.read(recording.flat!.name, t));
    const orders = tilings(theta, forms);
    if (orders.length === 0) continue;
    const found = theOne(orders, members, declared);
    if (found === null) throw severalOrders(recording, orders);
    const { parts, because } = found;
    const decision = listed(parts.map(({ tensor }) => tensor.name));
    const evidence = `the numbers in the model’s file are those of row ${t} in this order${because}`;
    return { parts, readings: [{ about, decision, evidence }] };
  }
  return null;
}

interface Form extends Piece {
  readonly data: Float32Array;
}

/** A tensor's numbers as the model has them, and as TensorFlow would; the second only where they differ. */
function formsOf(tensor: ModelTensor, data: Float32Array): Form[] {
  const own = { tensor, axes: null, data };
  if (tensor.shape.length < 2) return [own];
  const axes = tensorflowAxes(tensor.shape.length);
  const other = permuted(data, tensor.shape, axes);
  return sameNumbers(other, data) ? [own] : [own, { tensor, axes, data: other }];
}

/** Ways to lay the tensors end to end so that their numbers are θ's. */
function tilings(theta: Float32Array, forms: readonly (readonly Form[])[]): Piece[][] {
  const found: Piece[][] = [];
  const used = new Set<number>();
  let steps = 0;
  const place = (offset: number, pieces: readonly Piece[]): void => {
    if (pieces.length === forms.length) {
      found.push([...pieces]);
      return;
    }
    for (const [k, candidates] of forms.entries()) {
      if (used.has(k)) continue;
      for (const { data, ...piece } of candidates) {
        if (++steps > maxSteps || found.length >= maxOrders) return;
        if (!sameNumbers(data, theta, offset)) continue;
        used.add(k);
        place(offset + data.length, [...pieces, piece]);
        used.delete(k);
      }
    }
  };
  place(0, []);
  return found;
}

/**
 * The order among those that fit the values, and what else told it; null where nothing does. Tensors of the same numbers (biases of
 * zeros) can stand for each other: then the exporter's order is taken, where it keeps that of declaration, or the one order in which
 * every layer's parameters stand together, weight before bias, and numbers in names ascend.
 */
function theOne(
  orders: readonly (readonly Piece[])[],
  members: readonly ModelTensor[],
  declared: string | null,
): { readonly parts: readonly Piece[]; readonly because: string } | null {
  if (orders.length === 1) return { parts: orders[0]!, because: ' alone' };
  const listedOrder = orders.filter((order) => order.every(({ tensor }, k) => tensor === members[k]));
  if (declared !== null && listedOrder.length === 1) {
    return {
      parts: listedOrder[0]!,
      because: `, and of equal ones ${declared} keeps the order of declaration`,
    };
  }
  const modular = orders.filter((order) => isModular(order.map(({ tensor }) => tensor)));
  return modular.length === 1
    ? { parts: modular[0]!, because: ', and of equal ones the parameters of a layer stand together' }
    : null;
}

function severalOrders(recording: Recording, orders: readonly (readonly Piece[])[]): Error {
  const [a, b] = orders.map((order) => order.map(({ tensor }) => tensor.name));
  const at = a!.findIndex((name, k) => name !== b![k]);
  return misfit(
    recording.name,
    `θ without names, in which parameter ${at + 1} may be ${a![at]!} or ${b![at]!}: their numbers are the same`,
    'an order that its numbers, or names, tell',
    'give the names in the order of θ with --names A,B,…, or record one array per parameter under its name',
  );
}

const layerOf = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf('.')));
const leafOf = (name: string): string => name.slice(name.lastIndexOf('.') + 1);

/** Whether the parameters of each layer stand together, weight before bias, and numbered siblings ascend: as modules declare them. */
function isModular(tensors: readonly ModelTensor[]): boolean {
  const layers = tensors.map(({ name }) => layerOf(name));
  const together = layers.every((layer, k) => layers.indexOf(layer) === k || layers[k - 1] === layer);
  const weightFirst = tensors.every(
    ({ name }, k) =>
      leafOf(name) !== 'bias' || !tensors.slice(k).some((later) => later.name === `${layerOf(name)}.weight`),
  );
  return together && weightFirst && ascends(layers);
}

function ascends(layers: readonly string[]): boolean {
  return layers.every((layer, k) => {
    const next = layers[k + 1]?.split('.') ?? [];
    const parts = layer.split('.');
    const at = parts.findIndex((part, depth) => part !== next[depth]);
    const [a, b] = [parts[at] ?? '', next[at] ?? ''];
    return !/^\d+$/.test(a) || !/^\d+$/.test(b) || Number(a) < Number(b);
  });
}

/** The order that names alone give, where all layers are numbered and have weights and biases: `0.weight, 0.bias, 2.weight, …`. */
function sequentialOrder(tensors: readonly ModelTensor[]): ModelTensor[] | null {
  if (!tensors.every(({ name }) => /^(\d+\.)+(weight|bias)$/.test(name))) return null;
  const key = (name: string): number[] => [
    ...layerOf(name).split('.').map(Number),
    leafOf(name) === 'weight' ? 0 : 1,
  ];
  return tensors.toSorted((a, b) => {
    const [x, y] = [key(a.name), key(b.name)];
    const at = x.findIndex((part, k) => part !== y[k]);
    return (x[at] ?? 0) - (y[at] ?? 0);
  });
}

/** The parts of θ with their places. */
export function placedParts(recording: Recording, { parts }: FlatOrder): Map<string, RecordedPart> {
  let offset = 0;
  return new Map(
    parts.map(({ tensor, axes }) => {
      const part = { tensor: recording.flat!.name, offset, name: tensor.name, shape: null, axes };
      offset += sizeOf(tensor.shape);
      return [tensor.name, part];
    }),
  );
}
