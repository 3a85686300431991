import type { Spares } from '../num/spares.js';
import { addScaledInto } from '../num/sums.js';
import { GradientSum } from './gradient-sum.js';
import { compositeRule, rules } from './rules.js';
import type { Level } from './settings.js';
import type { Evaluation, Integrand } from './types.js';

/** Both ends of the segment, one evaluation per objective each. */
export interface Ends {
  readonly start: readonly Evaluation[];
  readonly end: readonly Evaluation[];
}

/** Gathers weighted means of each objective's vectors, its gradient [K] first, level after level: [objective][vector]. */
export interface MeanGradients {
  at(level: Level): Promise<Float64Array[][]>;
}

/** What is integrated of an evaluation: its gradient, then what goes along. */
function vectorsOf({ gradient, along = [] }: Evaluation): readonly Float64Array[] {
  return [gradient, ...along];
}

/** Zeros of the shape of each objective's vectors. */
function zerosLike(evaluations: readonly Evaluation[], spares: Spares<Float64Array>): Float64Array[][] {
  return evaluations.map(({ along = [] }) => [spares.take().fill(0), ...along.map(({ length }) => new Float64Array(length))]); // prettier-ignore
}

/** Adds an evaluation, times its weight, to each mean. */
function addEvaluation(means: readonly Float64Array[], weight: number, evaluation: Evaluation): void {
  vectorsOf(evaluation).forEach((vector, v) => { addScaledInto(means[v]!, weight, vector); }); // prettier-ignore
}

/**
 * Rules whose nodes are not nested (midpoint, Gauss, Kronrod): each level evaluates all its points and keeps one sum per objective. They
 * need no gradient at the ends.
 */
export class SeparateMeans implements MeanGradients {
  constructor(
    readonly integrand: Integrand,
    readonly spares: Spares<Float64Array>,
  ) {}

  /** Means [objective][vector]: of gradients [K], and of what goes along. */
  async at({ rule, applications }: Level): Promise<Float64Array[][]> {
    const { nodes, weights } = compositeRule(rule, applications);
    let means: Float64Array[][] | undefined;
    for (const [j, s] of nodes.entries()) {
      const evaluations = await this.integrand(s, 'gradient');
      means ??= zerosLike(evaluations, this.spares);
      means.forEach((own, o) => { addEvaluation(own, weights[j]!, evaluations[o]!); }); // prettier-ignore
    }
    return means!;
  }
}

/**
 * Rules on equispaced grids with both ends (left, right, trapezoid, Simpson, Boole). A node's weight depends only on how often its index
 * on the grid can be halved, so one sum per such class and objective is enough to double the grid and keep all earlier nodes.
 */
export class NestedMeans implements MeanGradients {
  /** [depth + 1][objective][vector]: class 0 holds the odd indices, class d those halved d times, the last class all further ones. */
  readonly #classes: GradientSum[][][];
  #intervals = 0;

  constructor(
    readonly integrand: Integrand,
    readonly ends: Ends,
    readonly spares: Spares<Float64Array>,
    /** `gridDepth` of the deepest rule that will be asked for. */
    readonly depth: number,
  ) {
    this.#classes = Array.from({ length: depth + 1 }, () =>
      ends.start.map((evaluation) => vectorsOf(evaluation).map(() => new GradientSum())),
    );
  }

  /** Means [objective][vector]: of gradients [K], and of what goes along. */
  async at({ rule, applications }: Level): Promise<Float64Array[][]> {
    const target = applications * 2 ** rules[rule].gridDepth!;
    if (this.#intervals === 0) await this.#fill(target);
    while (this.#intervals < target) await this.#double();
    return this.#weighted({ rule, applications });
  }

  async #fill(intervals: number): Promise<void> {
    this.#intervals = intervals;
    for (let k = 1; k < intervals; k++) await this.#evaluate(k, Math.min(halvings(k), this.depth));
  }

  /** Every index doubles, so each class moves one up; the new nodes are the odd ones. */
  async #double(): Promise<void> {
    this.#intervals *= 2;
    for (let d = this.depth; d > 0; d--) {
      this.#classes[d]!.forEach((sums, o) => {
        sums.forEach((sum, v) => { sum.absorb(this.#classes[d - 1]![o]![v]!); }); // prettier-ignore
      });
    }
    for (let k = 1; k < this.#intervals; k += 2) await this.#evaluate(k, 0);
  }

  async #evaluate(k: number, group: number): Promise<void> {
    const evaluations = await this.integrand(k / this.#intervals, 'gradient');
    this.#classes[group]!.forEach((sums, o) => {
      vectorsOf(evaluations[o]!).forEach((vector, v) => { sums[v]!.add(vector); }); // prettier-ignore
    });
  }

  #weighted({ rule, applications }: Level): Float64Array[][] {
    const { weights, gridDepth } = rules[rule];
    const first = weights[0]!;
    const last = weights.at(-1)!;
    const means = zerosLike(this.ends.start, this.spares);
    means.forEach((own, o) => {
      addEvaluation(own, first / applications, this.ends.start[o]!);
      addEvaluation(own, last / applications, this.ends.end[o]!);
      this.#classes.forEach((group, d) => {
        const weight = d < gridDepth! ? weights[2 ** d]! : first + last;
        own.forEach((mean, v) => { group[o]![v]!.addTo(mean, weight / applications); }); // prettier-ignore
      });
    });
    return means;
  }
}

/** How often a positive integer can be halved. */
function halvings(k: number): number {
  return 31 - Math.clz32(k & -k);
}
