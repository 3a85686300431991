import { NumericError, UsageError } from '../errors.js';
import { firstNonFinite } from '../num/sums.js';
import { plainLoops, type VectorLoops } from '../num/vector-loops.js';
import type { Evaluation, Want } from '../quadrature/types.js';
import { placeOf } from './layout.js';
import type { ParameterLayout } from './types.js';

/** What the parts of an objective contribute to its mean loss and gradient at one θ. */
export interface PartsEvaluated {
  /** [parts] */
  readonly losses: Float64Array;
  /** For each direction that was asked for, Σ direction ∘ gradient over the atoms of the layout [parts, atoms]. */
  readonly slopes: readonly Float64Array[];
  /** [parts, K], where single parameters' allocations are kept; else null. */
  readonly gradients: Float64Array | null;
}

/** Loss and gradient of one objective at one θ, with what its parts contribute. */
export interface Evaluated extends Evaluation {
  /** Left out: the objective is not divided. */
  readonly parts?: PartsEvaluated;
}

/** Throws NumericError for a loss or gradient that is not finite, UsageError for a gradient of another size. */
export function checkEvaluated(
  evaluations: readonly Evaluated[],
  layout: ParameterLayout,
  {
    segment,
    want,
    loops = plainLoops,
  }: { readonly segment: number; readonly want: Want; readonly loops?: VectorLoops },
): void {
  for (const { loss, gradient } of evaluations) {
    if (!Number.isFinite(loss)) throw notFinite(segment, 'loss', 0, loss);
    if (want === 'loss') continue;
    requireWhole(gradient, layout);
    if (loops.areFinite(gradient)) continue;
    const index = firstNonFinite(gradient);
    const place = placeOf(layout, index);
    throw notFinite(segment, place.tensor, place.index, gradient[index]!);
  }
}

function requireWhole(gradient: Float64Array, { size }: ParameterLayout): void {
  if (gradient.length === size) return;
  throw new UsageError({
    given: `a gradient of ${gradient.length} numbers`,
    expected: `${size}, one for each parameter`,
    remedy: 'give the gradient of all parameters, in the order of the layout',
  });
}

function notFinite(iteration: number, tensor: string, index: number, value: number): NumericError {
  const what = tensor === 'loss' ? 'the loss' : `the gradient of ${tensor}[${index}]`;
  return new NumericError(
    {
      given: `${what} is ${value} in iteration ${iteration}`,
      expected: 'finite numbers',
      remedy: `${tensor === 'loss' ? '' : 'the loss is finite: look for what has no derivative where it is 0, such as a root or a distance, and add a small number to it; or '}train with a lower learning rate; what was stored before this iteration stays valid`,
    },
    { iteration, tensor, index },
  );
}
