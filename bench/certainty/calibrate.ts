import { defaultWorkers } from '../../src/engines/registry.js';
import { type Experiment, objectivePlan, type StoredRun } from '../../src/experiment/experiment.js';
import { errorDistances, gradientRounding, tensorScales } from '../../src/ledger/certainty.js';
import type { ParameterLayout } from '../../src/ledger/types.js';
import { Evaluator } from '../../src/objective/evaluator.js';
import { integrate } from '../../src/quadrature/integrate.js';
import { partsOf } from '../../src/quadrature/rules.js';
import type { IntegrationSettings } from '../../src/quadrature/types.js';
import { pointsOf } from '../rules/compare.js';

/** How the bounds of one rule did, as shares of the entries that are not exactly zero. */
export interface IntegrationErrors {
  readonly rule: IntegrationSettings['rule'];
  readonly held: number;
  readonly undetermined: number;
  /** Of the certain ones those whose sign is another. */
  readonly wrong: number;
}

const compared = ['trapezoid', 'simpson', 'boole', 'gauss3'] as const;
const exactly = 32;

const settingsOf = (rule: IntegrationSettings['rule'], subintervals: number): IntegrationSettings => ({
  rule, subintervals, tolerance: null, maxSubintervals: subintervals, certify: 0,
}); // prettier-ignore

async function withEvaluator<T>(
  experiment: Experiment,
  engine: string,
  use: (evaluator: Evaluator) => Promise<T>,
): Promise<T> {
  const plan = objectivePlan(experiment, engine);
  const evaluator = await Evaluator.start(
    { ...plan, objectives: plan.objectives.slice(0, 1) },
    defaultWorkers(experiment.engine),
  );
  try {
    return await use(evaluator);
  } finally {
    await evaluator.close();
  }
}

/** Bounds and signs against Simpson on many points, over all segments. */
export function integrationErrors(
  run: StoredRun,
  experiment: Experiment,
  segments: readonly number[],
): Promise<IntegrationErrors[]> {
  const sums = compared.map(() => ({ entries: 0, held: 0, open: 0, wrong: 0 }));
  return withEvaluator(experiment, experiment.engine.name, async (evaluator) => {
    for (const segment of segments) {
      const [from, to] = [await run.theta(segment), await run.theta(segment + 1)];
      const delta = Float64Array.from(to, (end, k) => end - from[k]!);
      const at = pointsOf(evaluator, from, delta);
      const exact = (await integrate(at, delta, settingsOf('simpson', exactly))).meanGradient[0]!;
      for (const [c, rule] of compared.entries()) {
        const found = await integrate(at, delta, settingsOf(rule, partsOf(rule)));
        const [meanGradient, meanError] = [found.meanGradient[0]!, found.meanError![0]!];
        const bounds = boundsOf(experiment.layout, meanGradient, meanError);
        addTo(sums[c]!, { delta, meanGradient, exact, bounds });
      }
    }
    return compared.map((rule, c) => {
      const { entries, held, open, wrong } = sums[c]!;
      return { rule, held: held / entries, undetermined: open / entries, wrong: wrong / (entries - open) };
    });
  });
}

/** What the error of each entry of a gradient [K] should be at most. */
function boundsOf(layout: ParameterLayout, gradient: Float64Array, error: Float64Array): Float64Array {
  const scales = tensorScales(gradient, layout);
  const bounds = error.map((value) => errorDistances * Math.abs(value));
  layout.tensors.forEach(({ offset, size }, t) => {
    for (let k = offset; k < offset + size; k++) bounds[k]! += gradientRounding.float32 * scales[t]!;
  });
  return bounds;
}

interface Entries {
  readonly delta: Float64Array;
  readonly meanGradient: Float64Array;
  readonly exact: Float64Array;
  readonly bounds: Float64Array;
}

function addTo(
  sums: { entries: number; held: number; open: number; wrong: number },
  { delta, meanGradient, exact, bounds }: Entries,
): void {
  for (let k = 0; k < delta.length; k++) {
    const gradient = meanGradient[k]!;
    if (delta[k]! * gradient === 0) continue;
    const isOpen = Math.abs(gradient) <= bounds[k]!;
    sums.entries++;
    sums.held += Number(Math.abs(gradient - exact[k]!) <= bounds[k]!);
    sums.open += Number(isOpen);
    sums.wrong += Number(!isOpen && Math.sign(gradient) !== Math.sign(exact[k]!));
  }
}

/** Quantiles of the engine's distance from the reference engine at the start of each segment, relative to the root mean square of the tensor. */
export async function roundingErrors(
  run: StoredRun,
  experiment: Experiment,
  segments: readonly number[],
): Promise<{ share: number; error: number }[]> {
  const gradientsBy = (engine: string) =>
    withEvaluator(experiment, engine, async (evaluator) => {
      const gradients: Float64Array[] = [];
      for (const segment of segments)
        gradients.push((await evaluator.evaluate(Float64Array.from(await run.theta(segment))))[0]!.gradient);
      return gradients;
    });
  const [own, exact] = [await gradientsBy(experiment.engine.name), await gradientsBy('reference')];
  const errors = exact.flatMap((gradient, s) => {
    const scales = tensorScales(gradient, experiment.layout);
    return experiment.layout.tensors.flatMap(({ offset, size }, t) =>
      [...gradient.subarray(offset, offset + size)].flatMap((value, k) =>
        value === 0 ? [] : [Math.abs(own[s]![offset + k]! - value) / scales[t]!],
      ),
    );
  });
  errors.sort((a, b) => a - b);
  return [0.5, 0.99, 0.999, 0.9999, 1].map((share) => ({
    share,
    error: errors[Math.ceil(share * errors.length) - 1]!,
  }));
}
