import { sum } from '../num/sums.js';
import { gatherCounts, groupingNamed } from './groupings.js';
import { byAxis, countAtoms } from './atoms.js';
import type { AtomAxis, Grouping, ParameterLayout } from './types.js';

/**
 * By how much a gradient's entry may be off, relative to the root mean square of its tensor's, in the precision that it was computed in: the
 * float32 engines' differences from the reference engine, of which 99.9 % are smaller (docs/NUMERICS.md).
 */
export const gradientRounding = { float32: 2 ** -15, float64: 2 ** -44 } as const;

/** Distances of the coarser rule that the error of an entry is taken to be at most: nine in ten errors are (docs/NUMERICS.md). */
export const errorDistances = 2;

/** What the error of an objective's allocations is estimated from. */
export interface ErrorInput {
  /** Δθ [K]. */
  readonly delta: Float64Array;
  /** Mean gradient [K], and by how much it differs from that of a coarser rule on the same points. */
  readonly meanGradient: Float64Array;
  readonly meanError: Float64Array;
  readonly layout: ParameterLayout;
  readonly precision?: 'float32' | 'float64';
}

/** Which allocations are so near zero that their sign may be another. Exact zeros are none of them. */
export interface Certainty {
  /** Per layer [layers]: of any sign, of those below zero, and those that rounding alone leaves open. */
  readonly undetermined: Int32Array;
  readonly undeterminedHelping: Int32Array;
  readonly unresolved: Int32Array;
  /** Σ Δθ ∘ error over each layer [layers]: how far the layer's sum is from that of the coarser rule. */
  readonly layerErrors: Float64Array;
  /** Undetermined entries of each atom [atoms], along each axis. */
  readonly atoms: Readonly<Record<AtomAxis, Int32Array>>;
}

/**
 * Compares each allocation with the bound of its error, abs(Δθ) · (2 abs(error) + rounding): from the distance of the coarser rule, and what
 * the precision of the gradient leaves open.
 */
export function certaintyOf({
  delta,
  meanGradient,
  meanError,
  layout,
  precision = 'float32',
}: ErrorInput): Certainty {
  const marks = new Float64Array(layout.size);
  const layers = layout.layers.length;
  const unresolved = new Int32Array(layers);
  const layerErrors = new Float64Array(layers);
  const scales = tensorScales(meanGradient, layout);
  for (const [t, { layer, offset, size }] of layout.tensors.entries()) {
    const l = layout.layers.indexOf(layer);
    const end = offset + size;
    const rounding = gradientRounding[precision] * scales[t]!;
    let open = 0;
    let error = 0;
    for (let k = offset; k < end; k++) {
      const step = delta[k]!;
      const gradient = meanGradient[k]!;
      // What is exactly zero stays so; without branches, as signs are as good as random.
      const sign = Math.sign(step * gradient);
      marks[k] = sign * Number(Math.abs(gradient) <= errorDistances * Math.abs(meanError[k]!) + rounding);
      open += Math.abs(sign) * Number(Math.abs(gradient) <= rounding);
      error += step * meanError[k]!;
    }
    unresolved[l]! += open;
    layerErrors[l]! += error;
  }
  return { ...countMarks(marks, layout), unresolved, layerErrors };
}

function countMarks(
  marks: Float64Array,
  layout: ParameterLayout,
): Pick<Certainty, 'undetermined' | 'undeterminedHelping' | 'atoms'> {
  const byAtom = byAxis((axis) => countAtoms(marks, layout.atoms[axis]));
  const atoms = byAxis((axis) =>
    byAtom[axis].helping.map((count, atom) => count + byAtom[axis].hurting[atom]!),
  );
  const byLayer = groupingNamed(layout, 'layer');
  return {
    undetermined: gatherCounts(byLayer, atoms[byLayer.axis]),
    undeterminedHelping: gatherCounts(byLayer, byAtom[byLayer.axis].helping),
    atoms,
  };
}

/** Undetermined entries of each cell [cells] of a grouping. */
export function undeterminedBy({ atoms }: Certainty, grouping: Grouping): Int32Array {
  return gatherCounts(grouping, atoms[grouping.axis]);
}

/**
 * How many of some signs may be uncertain where a share is to be certain. Not a whole number as a rule; where it is one but for rounding, such as
 * (1 − 0.9) · 10, it is that number.
 */
export function allowedOpen(share: number, signs: number): number {
  const allowed = (1 - share) * signs;
  const whole = Math.round(allowed);
  return Math.abs(allowed - whole) <= 1e-12 * signs ? whole : allowed;
}

/**
 * Whether of the allocations that are not exactly zero a share of the signs is certain; or never can be, since more than the rest of them is
 * within rounding.
 */
export function isSettled(input: ErrorInput, share: number): boolean {
  const { undetermined, unresolved } = certaintyOf(input);
  const allowed = allowedOpen(share, nonzero(input));
  return sum(undetermined) <= allowed || sum(unresolved) > allowed;
}

function nonzero({ delta, meanGradient }: ErrorInput): number {
  let count = 0;
  for (let k = 0; k < delta.length; k++) count += Number(delta[k]! * meanGradient[k]! !== 0);
  return count;
}

/** Root mean square of a gradient [K] over each tensor [tensors], which rounding errors are measured by. */
export function tensorScales(gradient: Float64Array, { tensors }: ParameterLayout): Float64Array {
  return Float64Array.from(tensors, ({ offset, size }) => {
    let squares = 0;
    for (let k = offset; k < offset + size; k++) squares += gradient[k]! ** 2;
    return size === 0 ? 0 : Math.sqrt(squares / size);
  });
}
