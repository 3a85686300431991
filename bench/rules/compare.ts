import { type Experiment, objectivePlan, type StoredRun } from '../../src/experiment/experiment.js';
import { Evaluator } from '../../src/objective/evaluator.js';
import { integrate } from '../../src/quadrature/integrate.js';
import { compositeRule, type FixedRuleName, partsOf, rules } from '../../src/quadrature/rules.js';
import type { Evaluation, IntegrationSettings } from '../../src/quadrature/types.js';
import { defaultWorkers } from '../../src/engines/registry.js';

/** A rule as it is compared. */
interface Candidate {
  readonly rule: FixedRuleName;
  readonly subintervals: number;
}

/** How one rule did, over all segments that were compared. */
export interface Comparison extends Candidate {
  /** Gradients of a segment; an end that neighbours share counts once. */
  readonly gradients: number;
  /** Mean abs(residual), in the loss's unit. */
  readonly residual: number;
  /** Σ abs(a − truth) / Σ abs(truth) over single allocations. */
  readonly distance: number;
  /** Share of the entries not exactly zero whose sign is another. */
  readonly signs: number;
}

/** All rules at 1, 2, 3, 4, 6, 7 and 8 gradients a segment, as far as they can. */
const candidates: readonly Candidate[] = (Object.keys(rules) as FixedRuleName[]).flatMap((rule) =>
  [1, 2, 3, 4, 8]
    .map((applications) => ({ rule, subintervals: applications * partsOf(rule) }))
    .filter((candidate) => gradientsOf(candidate) <= 8),
);

/** Distinct points of a segment, of which the last is the next one's first where the rule has both ends. */
function gradientsOf({ rule, subintervals }: Candidate): number {
  const { nodes, weights } = compositeRule(rule, subintervals / partsOf(rule));
  const used = nodes.filter((_, j) => weights[j]! !== 0);
  return used.length - (used.includes(0) && used.includes(1) ? 1 : 0);
}

const settingsOf = ({ rule, subintervals }: Candidate): IntegrationSettings => ({
  rule, subintervals, tolerance: null, maxSubintervals: subintervals,
}); // prettier-ignore

/** Sums over entries and segments. */
interface Sums {
  residual: number;
  difference: number;
  size: number;
  signs: number;
  nonzero: number;
}

/**
 * Compares the rules on the first objective's allocations; `truth` is the number of Simpson's subintervals that count as exact.
 *
 * @returns In the order of gradients, then of distance.
 */
export async function compareRules(
  run: StoredRun,
  experiment: Experiment,
  { segments, truth }: { readonly segments: readonly number[]; readonly truth: number },
): Promise<Comparison[]> {
  const plan = objectivePlan(experiment);
  const evaluator = await Evaluator.start(
    { ...plan, objectives: plan.objectives.slice(0, 1) },
    defaultWorkers(experiment.engine),
  );
  const sums = candidates.map((): Sums => ({ residual: 0, difference: 0, size: 0, signs: 0, nonzero: 0 }));
  try {
    for (const segment of segments) {
      const [from, to] = [await run.theta(segment), await run.theta(segment + 1)];
      const delta = Float64Array.from(to, (end, k) => end - from[k]!);
      const at = pointsOf(evaluator, from, delta);
      const exact = await integrate(at, delta, settingsOf({ rule: 'simpson', subintervals: truth }));
      for (const [c, candidate] of candidates.entries()) {
        const found = await integrate(at, delta, settingsOf(candidate));
        addTo(sums[c]!, delta, found.meanGradient[0]!, exact.meanGradient[0]!);
        sums[c]!.residual += Math.abs(found.residual[0]!) / segments.length;
      }
    }
  } finally {
    await evaluator.close();
  }
  return candidates
    .map((candidate, c) => comparisonOf(candidate, sums[c]!))
    .sort((a, b) => a.gradients - b.gradients || a.distance - b.distance);
}

/** Evaluations along one segment, each point once, always with the gradient. */
export function pointsOf(evaluator: Evaluator, from: Float32Array, delta: Float64Array) {
  const known = new Map<number, Promise<readonly Evaluation[]>>();
  return (s: number): Promise<readonly Evaluation[]> => {
    const earlier = known.get(s);
    if (earlier !== undefined) return earlier;
    const result = evaluator.evaluate(delta.map((step, k) => from[k]! + s * step));
    known.set(s, result);
    return result;
  };
}

function addTo(sums: Sums, delta: Float64Array, gradient: Float64Array, exact: Float64Array): void {
  for (let k = 0; k < delta.length; k++) {
    const [found, expected] = [delta[k]! * gradient[k]!, delta[k]! * exact[k]!];
    sums.difference += Math.abs(found - expected);
    sums.size += Math.abs(expected);
    sums.nonzero += Number(expected !== 0);
    sums.signs += Number(Math.sign(found) !== Math.sign(expected));
  }
}

function comparisonOf(candidate: Candidate, sums: Sums): Comparison {
  return {
    ...candidate,
    gradients: gradientsOf(candidate),
    residual: sums.residual,
    distance: sums.difference / sums.size,
    signs: sums.signs / sums.nonzero,
  };
}
