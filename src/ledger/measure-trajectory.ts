import { UsageError } from '../errors.js';
import type { Evaluation, IntegrationSettings } from '../quadrature/types.js';
import type { LedgerRow } from './columns.js';
import { layoutOf } from './layout.js';
import { measureRange } from './measure-range.js';
import type { ParameterLayout } from './types.js';

/** One loss along a trajectory that is in memory. */
export interface TrajectoryInput {
  /** θ_0 … θ_T, each [K]. */
  readonly theta: readonly Float32Array[];
  /** Loss and gradient [K] at θ [K]. Must give the same for the same θ. */
  readonly evaluate: (theta: Float64Array) => Evaluation | Promise<Evaluation>;
  /** Tensors and layers of θ; default: a single tensor `theta` without neurons. */
  readonly layout?: ParameterLayout;
  /** What differs from Simpson's rule with the tolerance 0.001, halved up to 32 subintervals. */
  readonly settings?: Partial<IntegrationSettings>;
}

const usual: IntegrationSettings = {
  rule: 'simpson',
  tolerance: 1e-3,
  subintervals: null,
  maxSubintervals: 32,
};

/**
 * Measures how each parameter moved a loss of the caller's own, and yields one row of the ledger's columns for each of the T segments,
 * allocations in float64.
 *
 * @throws UsageError where rows and layout differ in size, or a setting is out of range; NumericError for a NaN or an infinity.
 */
export async function* measureTrajectory({
  theta,
  evaluate,
  settings,
  layout = layoutOf([wholeOf(theta)]),
}: TrajectoryInput): AsyncGenerator<LedgerRow> {
  requireSizes(theta, layout.size);
  const segments = measureRange({
    from: 0,
    to: theta.length - 1,
    theta: (row) => Promise.resolve(theta[row]!),
    evaluate: async (point) => [await evaluate(point)],
    settings: { ...usual, ...settings },
    layout,
    precision: 'float64',
  });
  for await (const { rows } of segments) yield rows[0]!;
}

/** θ as one tensor. */
function wholeOf(theta: readonly Float32Array[]) {
  return { name: 'theta', shape: [theta[0]?.length ?? 0], layer: 'theta', neuronAxis: null };
}

function requireSizes(theta: readonly Float32Array[], size: number): void {
  const row = theta.findIndex(({ length }) => length !== size);
  if (row < 0) return;
  throw new UsageError({
    given: `row ${row} of the trajectory with ${theta[row]!.length} parameters`,
    expected: `${size}, as the layout says (without one, as the first row has)`,
    remedy: 'give every row all parameters, in the same order',
  });
}
