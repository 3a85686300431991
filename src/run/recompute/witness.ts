import type { Experiment } from '../../experiment/experiment.js';
import { objectivePlan } from '../../experiment/experiment.js';
import { inSinglePrecision } from '../../graph/single-precision.js';
import { measureRange, type MeasuredSegment, type RangeInput } from '../../ledger/measure-range.js';
import { fold, key, uniform } from '../../num/random.js';
import { Evaluator } from '../../objective/evaluator.js';
import type { ObjectivePlan } from '../../objective/plan.js';
import type { IntegrationSettings } from '../../quadrature/types.js';
import type { RunFolder } from '../../store/folder.js';
import { storedDirections } from '../basis.js';
import { Updates } from '../updates.js';

/** How far a witness moves the points where gradients are taken, relative to each parameter: what engines round differently moves them as far. */
export const motion = 2 ** -18;

/** How a witness computes: exactly; every result rounded to float32; or exactly, but next to the points, moved at random by this seed. */
export type WitnessKind = 'exact' | 'rounded' | number;

/** Measures stored segments of a run anew with the float64 reference engine, components of updates included. Segments come in ascending order. */
export class Witness {
  readonly #evaluators: Evaluators;
  readonly #updates: Updates | null;
  readonly #basis: readonly Float64Array[];
  #points = 0;

  private constructor(
    readonly run: RunFolder,
    readonly experiment: Experiment,
    readonly kind: WitnessKind,
    own: { evaluators: Evaluators; updates: Updates | null; basis: readonly Float64Array[] },
  ) {
    this.#evaluators = own.evaluators;
    this.#updates = own.updates;
    this.#basis = own.basis;
  }

  /** Of an experiment opened with the reference engine. Throws DataError where recorded components are not there. */
  static async open(
    run: RunFolder,
    experiment: Experiment,
    kind: WitnessKind,
    evaluators: Evaluators,
  ): Promise<Witness> {
    const basis = await storedDirections(run);
    const points = { next: 0 };
    const updates = await Updates.open(experiment, {
      theta: (row) => run.theta(row),
      ...(kind === 'rounded' ? { lower: inSinglePrecision } : {}),
      ...(typeof kind === 'number' ? { move: (point) => { move(point, kind, 'step', points.next++); } } : {}),
    }); // prettier-ignore
    return new Witness(run, experiment, kind, { evaluators, updates, basis });
  }

  /** A segment by the rule and on the points that it was measured with. Throws TypeError for a segment that is none. */
  async measure(from: number, settings: IntegrationSettings): Promise<MeasuredSegment> {
    const evaluator = await this.#evaluators.of(this.kind === 'rounded' ? 'rounded' : 'exact');
    const evaluate: RangeInput['evaluate'] = (theta, directions, want) => {
      if (typeof this.kind === 'number') move(theta, this.kind, 'point', this.#points++);
      return evaluator.evaluate(theta, directions, want);
    };
    const updates = this.#updates;
    const range = measureRange({
      from,
      to: from + 1,
      theta: (row) => this.run.theta(row),
      evaluate,
      hasParts: this.experiment.objectives.some(({ division }) => division !== null),
      ...(updates === null ? {} : { split: (segment, own) => updates.split(segment, own) }),
      basis: this.#basis,
      settings,
      layout: this.experiment.layout,
      precision: this.run.manifest.definition.precision,
    });
    for await (const segment of range) return segment;
    throw new TypeError(`segment ${from} is none`);
  }

  async close(): Promise<void> {
    await this.#updates?.close();
  }
}

/** Moves every number of a point [K] by at most `motion` of itself, differently for each seed and point. */
function move(point: Float64Array, seed: number, what: string, index: number): void {
  const random = uniform(fold(fold(key(seed), what), index), point.length);
  for (let k = 0; k < point.length; k++) point[k]! *= 1 + motion * (2 * random[k]! - 1);
}

/** The evaluators that witnesses share, started when first needed. */
export class Evaluators {
  readonly #started = new Map<'exact' | 'rounded', Promise<Evaluator>>();

  constructor(
    readonly experiment: Experiment,
    readonly workers: number,
  ) {}

  of(kind: 'exact' | 'rounded'): Promise<Evaluator> {
    const known = this.#started.get(kind);
    if (known !== undefined) return known;
    const plan = objectivePlan(this.experiment);
    const gradientGraph: ObjectivePlan['gradientGraph'] = (...own) => inSinglePrecision(plan.gradientGraph(...own)); // prettier-ignore
    const started = Evaluator.start(kind === 'exact' ? plan : { ...plan, gradientGraph }, this.workers);
    this.#started.set(kind, started);
    return started;
  }

  async close(): Promise<void> {
    for (const evaluator of this.#started.values()) await (await evaluator).close();
  }
}
