import type { Numbers, TensorSpan } from '../../ledger/types.js';
import { sizeOf } from '../../graph/types.js';
import { fold, key, uniform } from '../../num/random.js';
import { compareSamples, type TwoSampleTest } from '../statistics/kolmogorov.js';

/** Which pairs of a kernel's parameters are compared: those of one output, of one input, any. */
export const pairKinds = ['output', 'input', 'all'] as const;
export type PairKind = (typeof pairKinds)[number];

/** Correlations over training of pairs of one kind. */
export interface PairCorrelation {
  readonly kind: PairKind;
  /** Mean over all such pairs, exactly; null without pairs. */
  readonly mean: number | null;
  /** Correlations of up to 1,000 pairs drawn at random, ascending. */
  readonly sample: readonly number[];
  /** The sample against that of all pairs; its p takes pairs for independent, which they are not. Null for `all`. */
  readonly test: TwoSampleTest | null;
}

const pairsDrawn = 1000;

/** Parameters of a kernel by output, by input, and all together: the group of each [size], and the number of groups. */
interface Groups {
  readonly of: Int32Array;
  readonly count: number;
}

function groupsOf({ shape, neuronAxis, inputAxis, size }: TensorSpan, kind: PairKind): Groups {
  const axis = { output: neuronAxis, input: inputAxis, all: null }[kind];
  if (axis === null) return { of: new Int32Array(size), count: 1 };
  const inner = sizeOf(shape.slice(axis + 1));
  return { of: Int32Array.from({ length: size }, (_, k) => Math.floor(k / inner) % shape[axis]!), count: shape[axis]! };
} // prettier-ignore

/** Members of each group among those whose factor is not 0. */
function membersOf({ of, count }: Groups, factors: Float64Array): number[][] {
  const members = Array.from({ length: count }, (): number[] => []);
  factors.forEach((factor, k) => {
    if (factor > 0) members[of[k]!]!.push(k);
  });
  return members;
}

/** Pairs of different members of one group, drawn at random: first · second, one after the other. */
function drawPairs(members: readonly (readonly number[])[], groups: Groups, name: string): Int32Array {
  const alive = members.flat();
  const random = uniform(fold(key('pairs'), name), 2 * pairsDrawn);
  const pairs: number[] = [];
  for (let i = 0; i < pairsDrawn && alive.length > 1; i++) {
    const first = alive[Math.floor(random[2 * i]! * alive.length)]!;
    const others = members[groups.of[first]!]!;
    const second = others[Math.floor(random[2 * i + 1]! * others.length)]!;
    if (second !== first) pairs.push(first, second);
  }
  return Int32Array.from(pairs);
}

/** Pairs of one kind while the second pass goes on. */
class PairWatch {
  readonly #groups: Groups;
  readonly #members: readonly (readonly number[])[];
  readonly #pairs: Int32Array;
  readonly #products: Float64Array;
  readonly #sums: Float64Array;
  #squares = 0;

  constructor(
    readonly kind: PairKind,
    tensor: TensorSpan,
    factors: Float64Array,
  ) {
    this.#groups = groupsOf(tensor, kind);
    this.#members = membersOf(this.#groups, factors);
    this.#pairs = drawPairs(this.#members, this.#groups, `${tensor.name} ${kind}`);
    this.#products = new Float64Array(this.#pairs.length / 2);
    this.#sums = new Float64Array(this.#groups.count);
  }

  /** Takes standardised values [size] of one segment. */
  add(values: Float64Array): void {
    const [sums, { of }, products, pairs] = [this.#sums, this.#groups, this.#products, this.#pairs];
    sums.fill(0);
    for (let k = 0; k < values.length; k++) sums[of[k]!]! += values[k]!;
    for (const total of sums) this.#squares += total * total;
    for (let i = 0; i < products.length; i++) products[i]! += values[pairs[2 * i]!]! * values[pairs[2 * i + 1]!]!;
  }

  /** Σ over pairs i ≠ j of z_i · z_j is |Σ z|² − n, because |z_i| = 1. */
  finish(): Omit<PairCorrelation, 'test'> {
    const sizes = this.#members.map(({ length }) => length);
    const alive = sizes.reduce((total, n) => total + n, 0);
    const pairs = sizes.reduce((total, n) => total + n * (n - 1), 0);
    const mean = pairs > 0 ? (this.#squares - alive) / pairs : null;
    return { kind: this.kind, mean, sample: [...this.#products.toSorted()] };
  }
} // prettier-ignore

/** Curves of a kernel's parameters over training, seen twice: first their means and spreads, then their products. */
export class CurveSet {
  readonly #sums: Float64Array;
  readonly #squares: Float64Array;
  readonly #standard: Float64Array;
  #means = new Float64Array(0);
  #factors = new Float64Array(0);
  #pairs: readonly PairWatch[] = [];
  #rows = 0;

  constructor(readonly tensor: TensorSpan) {
    this.#sums = new Float64Array(tensor.size);
    this.#squares = new Float64Array(tensor.size);
    this.#standard = new Float64Array(tensor.size);
  }

  /** Values [≥ from + size] of one segment, from index `from` on, in the first pass. */
  first(values: Numbers, from: number): void {
    for (let k = 0; k < this.#sums.length; k++) {
      const x = values[from + k]!;
      this.#sums[k]! += x;
      this.#squares[k]! += x * x;
    }
    this.#rows++;
  }

  /** The same [≥ from + size] in the second pass. */
  second(values: Numbers, from: number): void {
    if (this.#pairs.length === 0) this.#standardise();
    const [z, means, factors] = [this.#standard, this.#means, this.#factors];
    for (let k = 0; k < z.length; k++) z[k] = (values[from + k]! - means[k]!) * factors[k]!;
    for (const pairs of this.#pairs) pairs.add(z);
  }

  /** Parameters whose curve is not constant. */
  get alive(): number {
    return this.#factors.reduce((count, factor) => count + Number(factor > 0), 0);
  }

  /** Factors give deviations from the mean a unit norm over time, and 0 to constant curves. */
  #standardise(): void {
    this.#means = this.#sums.map((total) => total / this.#rows);
    this.#factors = this.#squares.map((square, k) => {
      const spread = square - this.#sums[k]! * this.#means[k]!;
      return spread > 1e-9 * square ? 1 / Math.sqrt(spread) : 0;
    });
    this.#pairs = pairKinds.map((kind) => new PairWatch(kind, this.tensor, this.#factors));
  }

  finish(): PairCorrelation[] {
    const found = this.#pairs.map((pairs) => pairs.finish());
    const any = found.find(({ kind }) => kind === 'all')?.sample ?? [];
    return found.map((own) => ({
      ...own,
      test: own.kind === 'all' ? null : compareSamples(own.sample, any),
    }));
  }
}
