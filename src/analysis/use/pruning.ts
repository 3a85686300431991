import type { ParameterLayout } from '../../ledger/types.js';
import { fold, key, permutation } from '../../num/random.js';
import { type MeanTest, type StudentT, testMean } from '../statistics/t-test.js';

/** By what weights are removed first. */
export const pruningMethods = ['allocation', 'size', 'magnitude', 'random'] as const;
export type PruningMethod = (typeof pruningMethods)[number];

/** What the order in which weights are removed follows from. */
export interface PruningFacts {
  readonly layout: ParameterLayout;
  /** Σ of each parameter's allocations over the run [K]. */
  readonly totals: Float64Array;
  /** θ at the end [K]. */
  readonly theta: Float32Array;
}

/** Indices in θ of what may be removed [n], ascending: weights of kernels, without biases and normalisation. */
export function prunable({ tensors }: ParameterLayout): Uint32Array {
  const kernels = tensors.filter(({ kind }) => kind === 'kernel');
  const used = kernels.length > 0 ? kernels : tensors.filter(({ shape }) => shape.length > 1);
  return Uint32Array.from(used.flatMap(({ offset, size }) => Array.from({ length: size }, (_, i) => offset + i))); // prettier-ignore
}

/**
 * The order [n] in which some of the parameters are removed. `allocation`: those that raised the loss most first, those that lowered it most
 * last; `size`: those whose total is nearest to zero first; `magnitude`: the smallest weights first; `random`: by the key `draw`. Ties by magnitude.
 */
export function pruningOrder(
  indices: Uint32Array,
  method: PruningMethod,
  { totals, theta }: PruningFacts,
  draw = 0,
): Uint32Array {
  if (method === 'random') {
    const places = permutation(fold(key('pruning'), draw), indices.length);
    return Uint32Array.from(places, (place) => indices[place]!);
  }
  const magnitude = (k: number): number => Math.abs(theta[k]!);
  const rank: Readonly<Record<Exclude<PruningMethod, 'random'>, (k: number) => number>> = {
    allocation: (k) => -totals[k]!,
    size: (k) => Math.abs(totals[k]!),
    magnitude,
  };
  const by = rank[method];
  return indices.slice().sort((a, b) => by(a) - by(b) || magnitude(a) - magnitude(b) || a - b);
}

/** How many of each layer's removable weights raised the loss over the run, or did nothing. */
export interface PruningEvidence {
  readonly layer: string;
  readonly weights: number;
  readonly hurt: number;
  readonly idle: number;
  /** Σ of the totals above zero and of those below, in the loss's unit. */
  readonly hurting: number;
  readonly helping: number;
}

/** What the weights `indices` [n] did, by layer: why they are candidates. */
export function pruningEvidence(indices: Uint32Array, { layout, totals }: PruningFacts): PruningEvidence[] {
  const layers = layout.layers.map((layer) => ({ layer, weights: 0, hurt: 0, idle: 0, hurting: 0, helping: 0 })); // prettier-ignore
  const spans = layout.tensors.map(({ offset, size, layer }) => ({ end: offset + size, own: layers[layout.layers.indexOf(layer)]! })); // prettier-ignore
  let span = 0;
  for (const k of indices) {
    while (k >= spans[span]!.end) span++;
    const { own } = spans[span]!;
    own.weights++;
    if (totals[k]! > 0) own.hurt++;
    if (totals[k] === 0) own.idle++;
    if (totals[k]! > 0) own.hurting += totals[k]!;
    else own.helping += totals[k]!;
  }
  return layers.filter(({ weights }) => weights > 0);
}

/** One objective at each share removed; of random orders one list for each draw. */
export interface PruningCurve {
  readonly objective: string;
  /** In the loss's unit [draws][shares]. */
  readonly losses: readonly (readonly number[])[];
  /** Share of the examples whose label has the largest output [draws][shares]; null where labels are no classes. */
  readonly accuracies: readonly (readonly number[])[] | null;
}

/** Weights removed by one method. */
export interface PrunedBy {
  readonly method: PruningMethod;
  readonly curves: readonly PruningCurve[];
}

/** Pruning by allocation against magnitude and against random orders (paper Section 6.2). */
export interface PruningAnalysis {
  readonly format: 'lossledger-pruning';
  readonly version: 1;
  readonly run: string;
  /** Segments whose allocations were added up, and those that the run will have: weights are those of the row of θ behind the former. */
  readonly segments: number;
  readonly iterations: number;
  readonly unit: string;
  /** Of whose allocations orders follow. */
  readonly objective: string;
  /** What a removed weight becomes. */
  readonly to: 'zero' | 'start';
  /** Whether each layer loses the same share, or those weights that come first in all. */
  readonly scope: 'all' | 'layer';
  /** Weights that may be removed. */
  readonly weights: number;
  /** Shares removed, ascending from 0. */
  readonly shares: readonly number[];
  readonly methods: readonly PrunedBy[];
  readonly evidence: readonly PruningEvidence[];
  /** What the methods are judged by. */
  readonly judged: { readonly objective: string; readonly by: 'accuracy' | 'loss' };
  readonly verdicts: readonly PruningVerdict[];
}

/** What a method may remove, and how it differs from random orders. */
export interface PruningVerdict {
  readonly method: PruningMethod;
  /** Largest of the shares up to which accuracy stays within a hundredth, or loss within a twentieth, of that with all weights. */
  readonly removable: number;
  /** Mean over the shares between 0 and 1 of accuracy (or minus the loss) less that of each random draw, tested against zero; null for random. */
  readonly overRandom: MeanTest | null;
}

/** How far accuracy may fall, and by which factor the loss may rise, for weights to count as removable. */
const tolerated = { accuracy: 0.01, loss: 0.05 } as const;

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** The first objective but those that were trained on, by accuracy where there is one; the first where there is no other. */
export function judgedBy(
  methods: readonly PrunedBy[],
  trained: ReadonlySet<string>,
): PruningAnalysis['judged'] {
  const { curves } = methods[0]!;
  const { objective, accuracies } = curves.find((own) => !trained.has(own.objective)) ?? curves[0]!;
  return { objective, by: accuracies === null ? 'loss' : 'accuracy' };
}

/** Judges methods by one objective's accuracy, where there is one, else by its loss. */
export function judgePruning(
  methods: readonly PrunedBy[],
  shares: readonly number[],
  judged: PruningAnalysis['judged'],
  student: StudentT,
): PruningVerdict[] {
  // As goodness: accuracy, or minus the loss.
  const goodness = ({ curves }: PrunedBy): number[][] => {
    const curve = curves.find(({ objective }) => objective === judged.objective)!;
    return judged.by === 'accuracy' ? curve.accuracies!.map((own) => [...own]) : curve.losses.map((own) => own.map((loss) => -loss)); // prettier-ignore
  };
  const inner = shares.flatMap((share, s) => (share > 0 && share < 1 ? [s] : []));
  const overall = (curve: readonly number[]): number => mean(inner.map((s) => curve[s]!));
  const random = methods.find(({ method }) => method === 'random');
  const draws = random ? goodness(random).map(overall) : [];
  return methods.map((own) => {
    const curves = goodness(own);
    const average = shares.map((_, s) => mean(curves.map((curve) => curve[s]!)));
    const whole = average[0]!;
    const floor = judged.by === 'accuracy' ? whole - tolerated.accuracy : whole - tolerated.loss * Math.abs(whole); // prettier-ignore
    const fails = average.findIndex((value) => value < floor);
    const differences = own.method === 'random' ? [] : draws.map((draw) => overall(curves[0]!) - draw);
    return {
      method: own.method,
      removable: fails < 0 ? shares.at(-1)! : shares[Math.max(0, fails - 1)]!,
      overRandom: differences.length > 0 ? testMean(differences, student) : null,
    };
  });
}
