import { isFloat } from '../../formats/array.js';
import type { Reading } from '../../formats/reading.js';
import { misfit } from '../../formats/source.js';
import { fitsPattern, listed } from '../checks.js';
import type { FoldedLayer, ModelWeights, Recording, RecordingOptions, TensorShape } from '../types.js';
import { isOptimizerState } from './extras.js';
import { matchNames, nameGiven, unwrapped } from './names.js';
import { isTelling, numbersOf, rowsToCompare, rowsToWatch, sameNumbers } from './values.js';

/** What the arrays of folded layers are called, and what showed it. */
export interface FoldedNames {
  /** [layers][arrays] */
  readonly names: readonly (readonly string[])[];
  readonly readings: readonly Reading[];
}

/** Recorded arrays that are of one layer by their names. */
interface RecordedLayer {
  /** What stands in front of `weight_ih_l0`. */
  readonly module: string;
  readonly depth: number;
  /** Arrays by what they are: `weight_ih`, `weight_hh_reverse`, …. */
  readonly arrays: ReadonlyMap<string, TensorShape>;
}

const arrayName = /^(.*?)(weight_ih|weight_hh|bias_ih|bias_hh)_l(\d+)(_reverse)?$/;

const kindOf = ({ kind, isReverse }: FoldedLayer['arrays'][number]): string =>
  `${kind}${isReverse ? '_reverse' : ''}`;

/** The recorded layers of LSTMs, GRUs and RNNs, as PyTorch names their arrays. */
function recordedLayers(tensors: readonly TensorShape[]): RecordedLayer[] {
  const layers = new Map<string, RecordedLayer & { readonly arrays: Map<string, TensorShape> }>();
  for (const tensor of tensors) {
    const [, module, kind, depth, reverse = ''] = arrayName.exec(tensor.name) ?? [];
    if (kind === undefined) continue;
    const key = `${module!}_l${depth!}`;
    const layer = layers.get(key) ?? { module: module!, depth: Number(depth), arrays: new Map<string, TensorShape>() };
    layers.set(key, layer);
    layer.arrays.set(kind + reverse, tensor);
  }
  return [...layers.values()];
} // prettier-ignore

function fits({ arrays }: FoldedLayer, recorded: RecordedLayer): boolean {
  const isThere = (array: FoldedLayer['arrays'][number]): boolean =>
    recorded.arrays.get(kindOf(array))?.shape.join() === array.shape.join();
  return arrays.length === recorded.arrays.size && arrays.every(isThere);
}

/** The numbers of a recorded array in one row. */
type Read = (name: string) => Promise<Float32Array>;

/** Reads arrays of row `t`, each once. */
function readingOnce(recording: Recording, t: number): Read {
  const known = new Map<string, Promise<Float32Array>>();
  return (name) => {
    const numbers = known.get(name) ?? numbersOf(recording, name, [t]).then(([row]) => row!);
    known.set(name, numbers);
    return numbers;
  };
}

/** Whether the model file's numbers of a layer are, gates in PyTorch's order, those of a recorded one in a row. */
async function isRow(read: Read, { arrays }: FoldedLayer, layer: RecordedLayer): Promise<boolean> {
  const own = arrays.map((array) => ({ array, data: array.data() }));
  for (const { array, data } of own) {
    if (!sameNumbers(data, await read(layer.arrays.get(kindOf(array))!.name))) return false;
  }
  return own.some(({ data }) => isTelling(data));
}

/** For each layer of the model, recorded ones that it may be. */
interface Candidates {
  readonly layers: readonly (readonly RecordedLayer[])[];
  /** The row whose numbers tell some of them, and which; null: of none. */
  readonly told: { readonly row: number; readonly layers: ReadonlySet<number> } | null;
}

async function candidatesOf(
  recording: Recording,
  folded: readonly FoldedLayer[],
  recorded: readonly RecordedLayer[],
): Promise<Candidates> {
  const layers = folded.map((layer) => recorded.filter((each) => fits(layer, each)));
  let best: Candidates = { layers, told: null };
  if (layers.some((list) => list.length === 0)) return best;
  for (const row of rowsToCompare(recording)) {
    const equal = await equalIn(readingOnce(recording, row), folded, layers);
    const told = new Set([...equal.keys()].filter((k) => equal[k]!.length > 0));
    // Layers that do not move are those of any row: the row counts that tells the most.
    if (told.size <= (best.told?.layers.size ?? 0)) continue;
    best = { layers: layers.map((list, k) => (told.has(k) ? equal[k]! : list)), told: { row, layers: told } };
    if (told.size === folded.length) break;
  }
  return best;
} // prettier-ignore

/** Of the recorded layers that each of the model's may be, those whose numbers in a row are the file's. */
async function equalIn(
  read: Read,
  folded: readonly FoldedLayer[],
  layers: Candidates['layers'],
): Promise<RecordedLayer[][]> {
  const equal: RecordedLayer[][] = [];
  for (const [k, layer] of folded.entries()) {
    const own: RecordedLayer[] = [];
    for (const each of layers[k]!) if (await isRow(read, layer, each)) own.push(each);
    equal.push(own);
  }
  return equal;
}

/** Assignments that are tried at most; beyond them none is taken for the only one. */
const mostTrials = 100_000;

/**
 * Up to two ways of giving each layer of the model a recorded one: each once, layer k of a module fed by layer k − 1 of it, and of a module
 * all layers.
 */
function assignments(
  folded: readonly FoldedLayer[],
  candidates: Candidates['layers'],
  recorded: readonly RecordedLayer[],
): RecordedLayer[][] {
  const found: RecordedLayer[][] = [];
  const chosen: RecordedLayer[] = [];
  let trials = 0;
  const follows = (k: number, { module, depth }: RecordedLayer): boolean => {
    const { above } = folded[k]!;
    const before = above === null ? undefined : chosen[above];
    return depth === 0 || (before?.module === module && before.depth === depth - 1);
  };
  const isWhole = (): boolean =>
    recorded.every((each) => chosen.includes(each) || !chosen.some(({ module }) => module === each.module));
  const choose = (k: number): void => {
    if (found.length > 1 || ++trials > mostTrials) return;
    if (k === folded.length) {
      if (isWhole()) found.push([...chosen]);
      return;
    }
    for (const each of candidates[k]!) {
      if (chosen.includes(each) || !follows(k, each)) continue;
      chosen.push(each);
      choose(k + 1);
      chosen.pop();
    }
  };
  choose(0);
  return trials > mostTrials ? [] : found;
}

/** How recorded names are to be written so that they are like those of the model's other tensors. */
function renaming(
  tensors: readonly TensorShape[],
  weights: ModelWeights,
  file: string,
  pairs: readonly string[],
): (name: string) => string {
  if (pairs.length > 0) return (name) => nameGiven(pairs, name) ?? name;
  const { recorded } = matchNames(tensors, weights.tensors, file);
  const only = (fronts: readonly string[]): string => {
    const [front = '', ...others] = [...new Set(fronts)];
    return others.length > 0 ? '' : front;
  };
  const more = only([...recorded].map(([model, name]) => (name.endsWith(model) ? name.slice(0, name.length - model.length) : ''))); // prettier-ignore
  const less = only([...recorded].map(([model, name]) => (model.endsWith(name) ? model.slice(0, model.length - name.length) : ''))); // prettier-ignore
  return (name) => less + unwrapped(name.startsWith(more) ? name.slice(more.length) : name);
}

/** Recorded layers without those whose numbers are, in every row looked at, those of one before: a module that stands in two places. */
async function withoutTied(recording: Recording, layers: readonly RecordedLayer[]): Promise<RecordedLayer[]> {
  const kept: { readonly layer: RecordedLayer; readonly numbers: readonly Float32Array[] }[] = [];
  for (const layer of layers) {
    const names = [...layer.arrays].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { name }]) => name);
    const numbers: Float32Array[] = [];
    for (const name of names) numbers.push(...(await numbersOf(recording, name, rowsToWatch(recording))));
    const isTied = kept.some(
      ({ numbers: others }) =>
        others.length === numbers.length &&
        others.every((other, k) => other.length === numbers[k]!.length && sameNumbers(other, numbers[k]!)),
    );
    if (!isTied) kept.push({ layer, numbers });
  }
  return kept.map(({ layer }) => layer);
}

/** Up to two assignments; of modules that are tied only the first counts. */
async function waysOf(
  recording: Recording,
  folded: readonly FoldedLayer[],
  { layers }: Candidates,
  recorded: readonly RecordedLayer[],
): Promise<RecordedLayer[][]> {
  const ways = assignments(folded, layers, recorded);
  if (ways.length < 2) return ways;
  const own = await withoutTied(recording, recorded);
  return assignments(folded, layers.map((list) => list.filter((each) => own.includes(each))), own); // prettier-ignore
}

/**
 * The names of the arrays that the model's exporter folded: those of recorded layers whose arrays have exactly their shapes, where the
 * model file's numbers are those of a row, or where no other assignment fits shapes and the order of the layers. Null where nothing
 * fits. Throws DataError where several do.
 */
export async function namesOfFolded(
  recording: Recording,
  weights: ModelWeights,
  options: RecordingOptions = {},
): Promise<FoldedNames | null> {
  const { folded = [] } = weights;
  if (folded.length === 0 || recording.flat !== null) return null;
  const isPassed = (name: string): boolean =>
    isOptimizerState(name, weights.tensors) ||
    (options.ignore ?? []).some((pattern) => fitsPattern(name, pattern));
  const tensors = [...recording.tensors]
    .filter(([name, { dtype }]) => dtype !== null && isFloat(dtype) && !isPassed(name))
    .map(([name, { shape }]) => ({ name, shape }));
  const recorded = recordedLayers(tensors);
  const candidates = await candidatesOf(recording, folded, recorded);
  const [first, second] = await waysOf(recording, folded, candidates, recorded);
  if (first === undefined) return null;
  if (second !== undefined) throw severalFit(recording.name, folded, candidates.layers);
  const rename = renaming(tensors, weights, recording.name, options.names ?? []);
  const names = folded.map(({ arrays }, k) =>
    arrays.map((array) => rename(first[k]!.arrays.get(kindOf(array))!.name)),
  );
  const own = new Set(weights.tensors.map(({ name }) => name));
  if (names.flat().some((name) => own.has(name))) return null;
  return { names, readings: readingsOf(folded, names, candidates.told) };
}

function readingsOf(
  folded: readonly FoldedLayer[],
  names: FoldedNames['names'],
  told: Candidates['told'],
): Reading[] {
  return folded.map(({ node, stored }, k) => ({
    about: `weights of ${node}, which the exporter folded`,
    decision: `${listed(stored)} are made of ${listed(names[k]!)}, as PyTorch makes them: rows of gates in ONNX’s order, biases end to end`,
    evidence: told?.layers.has(k)
      ? `in PyTorch’s order their numbers are those of row ${told.row}`
      : 'no other assignment of recorded layers fits the shapes and the order of the layers in the network',
  }));
}

function severalFit(file: string, folded: readonly FoldedLayer[], candidates: Candidates['layers']): Error {
  const open = folded.filter((_, k) => candidates[k]!.length > 1);
  const layers = new Set(candidates.filter((list) => list.length > 1).flat());
  return misfit(
    file,
    `layers ${listed([...layers].map(({ module, depth }) => `${module}*_l${depth}`))}, which fit the model’s ${listed(open.map(({ node }) => node))}, whose weights the exporter folded, in several ways`,
    'one way, or a model file whose numbers are those of a recorded row',
    'export with do_constant_folding=False, which keeps the names of the weights; or export the model with the numbers of a recorded row',
  );
}
