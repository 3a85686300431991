import { NumericError, type NumericLocation } from '../errors.js';
import { dot } from '../num/sums.js';
import { stripsOf } from './layout.js';
import { groupSums } from './sums.js';
import type { LedgerRow, ParameterLayout } from './types.js';

/** One objective's material of one segment. */
export interface RowInput {
  /** Δθ [K]. */
  readonly delta: Float64Array;
  /** Σ_j w_j ∇L(θ_t + s_j Δθ_t) [K]. */
  readonly meanGradient: Float64Array;
  /** ∇L(θ_t) [K], for the left rule's residual. */
  readonly startGradient: Float64Array;
  /** L(θ_t) and L(θ_{t+1}), nats. */
  readonly lossStart: number;
  readonly lossEnd: number;
  readonly layout: ParameterLayout;
  /** Of the allocations in the row; default float32. The sums are float64 always. */
  readonly precision?: 'float32' | 'float64';
}

/** Entries below, above and exactly zero, per layer. */
type Counts = Pick<LedgerRow, 'helping' | 'hurting' | 'zero'>;

const maxFloat32 = (2 - 2 ** -23) * 2 ** 127;

/**
 * Allocates one segment's loss change to the parameters: a = Δθ ∘ mean gradient (paper, equations 3 and 4), with its sums in float64.
 *
 * @throws NumericError naming tensor and index where a number is not finite, or too large to be stored as float32.
 */
export function allocateRow(input: RowInput): LedgerRow {
  const { delta, meanGradient, startGradient, lossStart, lossEnd, layout } = input;
  checkLoss(lossStart);
  checkLoss(lossEnd);
  const change = lossEnd - lossStart;
  const leftResidual = dot(delta, startGradient) - change;
  if (!Number.isFinite(leftResidual)) reportTerm('allocation of the left rule', delta, startGradient, layout);

  const exact = new Float64Array(layout.size);
  const allocation = input.precision === 'float64' ? exact : new Float32Array(layout.size);
  const counts = multiply(exact, allocation, delta, meanGradient, layout);
  const { total, layerSums, neuronSums } = groupSums(exact, layout);
  if (!(Math.abs(total) < Infinity)) reportTerm('allocation', delta, meanGradient, layout);
  return { allocation, total, layerSums, neuronSums, ...counts, residual: total - change, leftResidual };
}

/** Writes the products in float64 and in the precision of storing, and counts their signs. */
function multiply(
  exact: Float64Array,
  allocation: Float32Array | Float64Array,
  delta: Float64Array,
  gradient: Float64Array,
  layout: ParameterLayout,
): Counts {
  const layers = layout.layers.length;
  const counts = {
    helping: new Int32Array(layers),
    hurting: new Int32Array(layers),
    zero: new Int32Array(layers),
  };
  for (const { tensor, layer } of stripsOf(layout)) {
    let helping = 0;
    let hurting = 0;
    for (let k = tensor.offset; k < tensor.offset + tensor.size; k++) {
      const value = delta[k]! * gradient[k]!;
      if (!(Math.abs(value) <= maxFloat32)) reportTerm('allocation', delta, gradient, layout);
      exact[k] = value;
      allocation[k] = value;
      if (value < 0) helping++;
      else if (value > 0) hurting++;
    }
    counts.helping[layer]! += helping;
    counts.hurting[layer]! += hurting;
    counts.zero[layer]! += tensor.size - helping - hurting;
  }
  return counts;
}

/** Finds the first product that is not finite or too large and throws; where each is fine by itself, their sum is not. */
function reportTerm(
  what: string,
  delta: Float64Array,
  gradient: Float64Array,
  layout: ParameterLayout,
): never {
  const at = delta.findIndex((step, k) => !(Math.abs(step * gradient[k]!) <= maxFloat32));
  const tensor = layout.tensors.find(({ offset, size }) => at >= offset && at < offset + size);
  if (tensor === undefined) throw notFinite(`the sum of the ${what}`, Infinity, {});
  const index = at - tensor.offset;
  const value = delta[at]! * gradient[at]!;
  throw notFinite(`the ${what} of ${tensor.name}[${index}]`, value, { tensor: tensor.name, index });
}

function checkLoss(loss: number): void {
  if (!Number.isFinite(loss)) throw notFinite('the loss', loss, { tensor: 'loss' });
}

function notFinite(what: string, value: number, location: NumericLocation): NumericError {
  return new NumericError(
    {
      given: `${what} is ${value}`,
      expected: `a finite number, at most ${maxFloat32.toPrecision(3)} in size`,
      remedy: 'train with a lower learning rate; what was stored before stays valid',
    },
    location,
  );
}
