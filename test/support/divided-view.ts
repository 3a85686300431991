import type { ColumnNumbers, SmallColumnName } from '../../src/ledger/columns.js';
import { gatherCounts, gatherSums, groupingNamed } from '../../src/ledger/groupings.js';
import { countAtoms, sumAtoms } from '../../src/ledger/atoms.js';
import { layoutOf, rangesOf } from '../../src/ledger/layout.js';
import { signBytes } from '../../src/ledger/measures/gradients.js';
import type { Numbers } from '../../src/ledger/types.js';
import type { LedgerView } from '../../src/ledger/view.js';
import { fold, key, normal } from '../../src/num/random.js';

const kernel = (name: string, layer: string, outputs: number, inputs: number) =>
  ({ name, layer, shape: [outputs, inputs], neuronAxis: 0, inputAxis: 1, kind: 'kernel' }) as const;

/** Two dense layers; the first reads images of 5 × 5 pixels. */
const layout = layoutOf([kernel('fc1.weight', 'fc1', 4, 25), kernel('fc2.weight', 'fc2', 3, 4)]);
const parts = ['cats', 'dogs', 'birds'];

/** Shape of the examples that the first layer reads. */
export const dividedExampleShape = [5, 5];

/** Allocations of a part [K] in a segment: noise around a fall that grows less; the last part hurts in every other segment. */
function partRow(objective: number, part: number, t: number): Float64Array {
  const noise = normal(fold(fold(fold(key('divided'), objective), part), t), layout.size);
  const drift = part === 2 && t % 2 === 1 ? 0.5 : -1 / (1 + t / 4);
  return noise.map((z, k) => (k % 10 === 9 ? 0 : 1e-3 * (drift + z)));
}

/** Sums by the cells of a grouping of each part's row [parts][K], one part after the other. */
function sumsOf(rows: readonly Float64Array[], name: string): Float64Array {
  const grouping = groupingNamed(layout, name);
  return Float64Array.from(
    rows.flatMap((row) => [...gatherSums(grouping, sumAtoms(row, layout.atoms.neuronAxis).results())]),
  );
}

/** Bits of the values below zero. */
function gradientSigns(values: Float64Array): Uint8Array {
  const bytes = new Uint8Array(signBytes(values.length));
  values.forEach((value, k) => (bytes[k >> 3]! |= Number(value < 0) << (k & 7)));
  return bytes;
}

/** Euclidean norm of each layer's part of a row [K]. */
function layerNorms(row: Float64Array): Float64Array {
  const squares = (layer: string): number =>
    rangesOf(layout, layer).reduce(
      (sum, [from, to]) => row.subarray(from, to).reduce((own, x) => own + x * x, sum),
      0,
    );
  return Float64Array.from(layout.layers, (layer) => Math.sqrt(squares(layer)));
}

interface Rows {
  readonly parts: readonly Float64Array[];
  readonly whole: Float64Array;
}

function rowsOf(objective: number, t: number): Rows {
  const own = parts.map((_, part) => partRow(objective, part, t));
  return { parts: own, whole: own[0]!.map((value, k) => Math.fround(value + own[1]![k]! + own[2]![k]!)) };
}

const large: Readonly<Record<string, (rows: Rows) => Numbers>> = {
  allocation: ({ whole }) => Float32Array.from(whole),
  neuron_sums: ({ whole }) => sumsOf([whole], 'neuron'),
  part_allocation: ({ parts: own }) => Float32Array.from(own.flatMap((row) => [...row])),
  part_layer_sums: ({ parts: own }) => sumsOf(own, 'layer'),
  part_neuron_sums: ({ parts: own }) => sumsOf(own, 'neuron'),
  gradient_norm: ({ whole }) => layerNorms(whole),
  motion_norm: ({ whole }) => layerNorms(whole.map((value) => Math.abs(value) ** 0.5)),
  part_gradient_norm: ({ parts: own }) => Float64Array.from(own.flatMap((row) => [...layerNorms(row)])),
  gradient_sign: ({ whole }) => gradientSigns(whole),
};

/** Small columns of an objective, from its rows. */
function columnsOf(objective: number, segments: number): Partial<Record<SmallColumnName, Numbers>> {
  const rows = Array.from({ length: segments }, (_, t) => rowsOf(objective, t).whole);
  const sums = rows.map((row) => sumsOf([row], 'layer'));
  const counts = rows.map((row) => countAtoms(row, layout.atoms.neuronAxis));
  const grouping = groupingNamed(layout, 'layer');
  const count = (sign: 'helping' | 'hurting' | 'zero') =>
    Int32Array.from(counts.flatMap((tally) => [...gatherCounts(grouping, tally[sign])]));
  const totals = sums.map((own) => own.reduce((a, b) => a + b));
  const loss = [2];
  for (const total of totals) loss.push(loss.at(-1)! + total);
  return {
    loss: Float64Array.from(loss),
    part_loss: new Float64Array(3 * (segments + 1)),
    layer_sums: Float64Array.from(sums.flatMap((own) => [...own])),
    total: Float64Array.from(totals),
    residual: new Float64Array(segments),
    left_residual: new Float64Array(segments).fill(-1e-4),
    helping: count('helping'),
    hurting: count('hurting'),
    zero: count('zero'),
  };
}

/** A small ledger that has every column that analyses read, of two objectives divided into three parts. */
export function dividedView(segments = 60): LedgerView {
  const objectives = ['train', 'validation'];
  const small = objectives.map((_, index) => columnsOf(index, segments));
  const ones = new Int32Array(segments).fill(1);
  return {
    segments,
    iteration: Int32Array.from({ length: segments + 1 }, (_, t) => t),
    layout,
    objectives: objectives.map((name) => ({ name, parts })),
    unit: 'nats',
    rule: 'simpson',
    tolerance: null,
    certify: null,
    components: [],
    has: (name, objective) => objective !== undefined && name in small[objectives.indexOf(objective)]!,
    column: <N extends SmallColumnName>(name: N, objective?: string) =>
      (objective === undefined ? ones : small[objectives.indexOf(objective)]![name]) as ColumnNumbers<N>,
    rows(name, objective = 'train') {
      const of = large[name];
      const rows = async function* () {
        for (let t = 0; t < segments; t++)
          yield await Promise.resolve(of!(rowsOf(objectives.indexOf(objective), t)));
      };
      return of === undefined ? null : { [Symbol.asyncIterator]: rows };
    },
  };
}

/** Rows of θ [T + 1][K] that turn now and then, for `dividedView`. */
export function dividedTheta(segments = 60): () => AsyncIterable<Float32Array> {
  return async function* () {
    for (let t = 0; t <= segments; t++) {
      yield await Promise.resolve(
        Float32Array.from({ length: layout.size }, (_, k) => Math.sin(t / (1 + (k % 7)))),
      );
    }
  };
}
