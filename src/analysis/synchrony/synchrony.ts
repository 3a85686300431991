import type { Numbers } from '../../ledger/types.js';
import type { RowHandler, StreamName, ThemeContext, Watcher } from '../themes/sweep.js';
import { type Moment, MomentWatch } from './moments.js';
import { type NullModel, rotateCurves, shiftCurves, shiftLayers, synchronised } from './nulls.js';

/** Moments of one group of curves, one curve a layer. */
export interface GroupMoments {
  /** Class or other part; for curves of the whole objective: null. */
  readonly part: string | null;
  /** [layers][≤ 20] lowest first. */
  readonly moments: readonly (readonly Moment[])[];
  /** Segments at which all layers have a moment. */
  readonly synchronised: readonly number[];
}

/** Whether moments of learning come at the same iterations in all layers (paper Section 5, Figures 6 and S15–S19). */
export interface Synchrony {
  readonly groups: readonly GroupMoments[];
  /** Σ over groups of moments, by how many layers have one at the same iteration [layers + 1]; the first is 0. */
  readonly coincidence: readonly number[];
  /** Σ over groups of iterations at which all layers have a moment. */
  readonly observed: number;
  /** Share of the moments that stand in such an iteration; null without moments. */
  readonly share: number | null;
  /** Layers shifted by −2, −1, 1 or 2, all groups alike; null for a single layer, as all that follow. */
  readonly shiftedLayers: NullModel | null;
  /** Every curve shifted so on its own. */
  readonly shiftedCurves: NullModel | null;
  /** Every curve shifted by up to 10 and round the run. */
  readonly rotated: NullModel | null;
}

/** Synchrony of allocations, and of what they are the product of. */
export interface SynchronyAnalysis {
  readonly layers: readonly string[];
  /** Of the whole objective. */
  readonly whole: Synchrony;
  /** By part (class); null where the objective is not divided. */
  readonly byPart: Synchrony | null;
  /** Peaks (local maxima) of the L2 norm of each layer's motion; null where the norms were not kept. */
  readonly motion: Synchrony | null;
  /** Peaks of the L2 norm of each layer's gradient at the start of segments; null where the rule does not evaluate it there. */
  readonly gradient: Synchrony | null;
  /** The same of what each part (class) contributes to the gradient; null where parts were not kept by parameter. */
  readonly gradientByPart: Synchrony | null;
}

function coincidenceOf(groups: readonly (readonly (readonly number[])[])[], layers: number): number[] {
  const found = new Array<number>(layers + 1).fill(0);
  for (const group of groups) {
    const at = new Map<number, number>();
    for (const t of group.flat()) at.set(t, (at.get(t) ?? 0) + 1);
    for (const count of at.values()) found[count]! += count;
  }
  return found;
}

/** Groups of `layers` curves each out of all curves [groups · layers]. */
function describe(
  watch: MomentWatch,
  parts: readonly (string | null)[],
  layers: number,
  segments: number,
): Synchrony {
  const [times, moments] = [watch.segments(), watch.moments()];
  const cut = <T>(all: readonly T[]): T[][] => parts.map((_, g) => all.slice(g * layers, (g + 1) * layers));
  const groups = cut(times);
  const together = groups.map(synchronised);
  const observed = together.flat().length;
  const all = times.flat().length;
  const several = layers > 1 && segments > 2;
  return {
    groups: cut(moments).map((own, g) => ({ part: parts[g]!, moments: own, synchronised: together[g]! })),
    coincidence: coincidenceOf(groups, layers),
    observed,
    share: all > 0 ? (observed * layers) / all : null,
    shiftedLayers: several ? shiftLayers(groups, observed) : null,
    shiftedCurves: several ? shiftCurves(groups, observed) : null,
    rotated: several ? rotateCurves(groups, observed, segments) : null,
  };
}

/** Watches sums by layer, by part and layer, and the norms of motion and gradients. */
export function watchSynchrony({ view, objective, parts, has }: ThemeContext): Watcher<SynchronyAnalysis> {
  const { layout, segments } = view;
  const count = layout.layers.length;
  const watch = (stream: StreamName, curves: number, sign: 1 | -1): MomentWatch | null =>
    has(stream) ? new MomentWatch(curves, sign) : null;
  const watches = {
    partLayers: watch('partLayers', parts.length * count, 1),
    motionNorms: watch('motionNorms', count, -1),
    gradientNorms: watch('gradientNorms', count, -1),
    partGradientNorms: watch('partGradientNorms', parts.length * count, -1),
  };
  const handlers = Object.entries(watches).flatMap(([stream, own]) =>
    own === null ? [] : [[stream, (row: Numbers) => own.add(row)]],
  );
  const described = (own: MomentWatch | null, names: readonly (string | null)[] = [null]): Synchrony | null =>
    own && describe(own, names, count, segments);
  return {
    passes: [Object.fromEntries(handlers) as Partial<Record<StreamName, RowHandler>>],
    finish() {
      const whole = new MomentWatch(count);
      const sums = view.column('layer_sums', objective);
      for (let t = 0; t < segments; t++) whole.add(sums.subarray(t * count, (t + 1) * count));
      return {
        layers: layout.layers,
        whole: describe(whole, [null], count, segments),
        byPart: described(watches.partLayers, parts),
        motion: described(watches.motionNorms),
        gradient: described(watches.gradientNorms),
        gradientByPart: described(watches.partGradientNorms, parts),
      };
    },
  };
}
