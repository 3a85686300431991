import type { Spares } from '../num/spares.js';
import { addScaledInto } from '../num/sums.js';
import type { VectorLoops } from '../num/vector-loops.js';
import { GradientSum } from './gradient-sum.js';
import { compositeRule, errorWeights, rules } from './rules.js';
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
  /** How far each objective's mean gradient [K] at the level that `at` was last asked for is from that of the coarser rule. */
  error(level: Level): Float64Array[];
}

/** What is integrated of an evaluation: its gradient, then what goes along. */
function vectorsOf({ gradient, along = [] }: Evaluation): readonly Float64Array[] {
  return [gradient, ...along];
}

/** Arrays of the shape of each objective's vectors, with anything in that of its gradient. */
function arraysLike(evaluations: readonly Evaluation[], spares: Spares<Float64Array>): Float64Array[][] {
  return evaluations.map(({ along = [] }) => [spares.take(), ...along.map(({ length }) => new Float64Array(length))]); // prettier-ignore
}

/** Adds an evaluation, times its weight, to each mean. */
function addEvaluation(means: readonly Float64Array[], weight: number, evaluation: Evaluation): void {
  const vectors = vectorsOf(evaluation);
  means.forEach((mean, v) => { addScaledInto(mean, weight, vectors[v]!); }); // prettier-ignore
}

/**
 * Rules whose nodes are not nested (midpoint, Gauss, Kronrod): each level evaluates all its points and keeps one sum per objective. They
 * need no gradient at the ends.
 */
export class SeparateMeans implements MeanGradients {
  #errors: Float64Array[] = [];

  constructor(
    readonly integrand: Integrand,
    readonly spares: Spares<Float64Array>,
    /** Whether `error` will be asked for. */
    readonly estimates: boolean,
  ) {}

  /** Means [objective][vector]: of gradients [K], and of what goes along. */
  async at({ rule, applications }: Level): Promise<Float64Array[][]> {
    const { nodes, weights } = compositeRule(rule, applications);
    const differences = this.estimates ? compositeRule(rule, applications, errorWeights(rule)).weights : null;
    let means: Float64Array[][] | undefined;
    this.#errors = [];
    for (const [j, s] of nodes.entries()) {
      const evaluations = await this.integrand(s, 'gradient');
      means ??= arraysLike(evaluations, this.spares).map((own) => own.map((mean) => mean.fill(0)));
      means.forEach((own, o) => { addEvaluation(own, weights[j]!, evaluations[o]!); }); // prettier-ignore
      if (differences !== null) this.#addErrors(differences[j]!, evaluations);
    }
    return means!;
  }

  error(): Float64Array[] {
    return this.#errors;
  }

  #addErrors(weight: number, evaluations: readonly Evaluation[]): void {
    evaluations.forEach(({ gradient }, o) => {
      this.#errors[o] ??= this.spares.take().fill(0);
      addScaledInto(this.#errors[o], weight, gradient);
    });
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
    /** Where arrays [K] come from, and what adds them up. */
    readonly tools: { readonly spares: Spares<Float64Array>; readonly loops: VectorLoops },
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
    const means = arraysLike(this.ends.start, this.tools.spares);
    this.#combine(means, { rule, applications }, rules[rule].weights);
    return means;
  }

  error({ rule, applications }: Level): Float64Array[] {
    const errors = this.ends.start.map(() => [this.tools.spares.take()]);
    this.#combine(errors, { rule, applications }, errorWeights(rule));
    return errors.map(([error]) => error!);
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

  /** Sets the means [objective][vector], as many of them as there are, to what these weights of one application give. */
  #combine(
    means: readonly Float64Array[][],
    { rule, applications }: Level,
    weights: readonly number[],
  ): void {
    const { gridDepth } = rules[rule];
    const first = weights[0]!;
    const last = weights.at(-1)!;
    means.forEach((own, o) => {
      const [start, end] = [vectorsOf(this.ends.start[o]!), vectorsOf(this.ends.end[o]!)];
      own.forEach((mean, v) => {
        const inner = this.#classes.flatMap((group, d) => {
          const weight = d < gridDepth! ? weights[2 ** d]! : first + last;
          return group[o]![v]!.terms(weight / applications);
        });
        this.tools.loops.combine(mean, [
          { weight: first / applications, vector: start[v]! },
          { weight: last / applications, vector: end[v]! },
          ...inner,
        ]);
      });
    });
  }
}

/** How often a positive integer can be halved. */
function halvings(k: number): number {
  return 31 - Math.clz32(k & -k);
}
