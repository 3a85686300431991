import { UsageError } from '../../errors.js';
import type { RunDifference } from '../comparison/comparable.js';
import { analyseLayers } from '../objective.js';
import { errorsCovering, type MeanTest, momentsOf, type StudentT, testMean } from '../statistics/t-test.js';
import type { ThemeContext, Watcher } from '../themes/sweep.js';

/** What the layers did in one run (paper Section 4, Figures 4 and S11–S14). */
export interface LayersAnalysis {
  /** Training iteration of each row of θ [T + 1]. */
  readonly iteration: readonly number[];
  readonly layers: readonly {
    readonly layer: string;
    readonly parameters: number;
    /** Σ of the layer's allocations in the loss's unit. */
    readonly total: number;
    /** Share of the segments in which the layer raised the loss. */
    readonly hurtingSegments: number;
    /** Running total in the loss's unit [T + 1]. */
    readonly cumulative: readonly number[];
  }[];
}

/** Totals and curves from sums by layer. */
export function watchLayers({ view, objective }: ThemeContext): Watcher<LayersAnalysis> {
  return {
    passes: [],
    finish() {
      const count = view.layout.layers.length;
      const sums = view.column('layer_sums', objective);
      const layers = analyseLayers(view, objective).map((own, index) => {
        let hurting = 0;
        for (let t = 0; t < view.segments; t++) hurting += Number(sums[t * count + index]! > 0);
        const { layer, parameters, total, cumulative } = own;
        return { layer, parameters, total, hurtingSegments: hurting / view.segments, cumulative };
      });
      return { iteration: [...view.iteration], layers };
    },
  };
}

/** A layer over several runs. */
export interface LayerOverRuns {
  readonly layer: string;
  /** Totals in the loss's unit, in the runs' order. */
  readonly totals: readonly number[];
  readonly test: MeanTest;
  /** Mean running total [T + 1], and the half width of the interval that covers it with probability 0.95; null for one run. */
  readonly mean: readonly number[];
  readonly halfWidth: readonly number[] | null;
}

/** Means over runs, with intervals for repeats of one training with other seeds. */
export interface LayersOverRuns {
  readonly runs: readonly string[];
  /** Settings beside the seed in which the runs differ, by which they are no repeats. */
  readonly settings: readonly RunDifference[];
  readonly layers: readonly LayerOverRuns[];
}

/** One run's layers with its name, and what their allocations are of. */
export interface NamedLayers extends LayersAnalysis {
  readonly run: string;
  readonly objective: string;
  readonly unit: string;
}

/**
 * Compares layers over runs, which differ in `settings` beside their seeds.
 *
 * @throws UsageError where the runs do not have the same layers, the same objective in the same unit, and rows of θ at the same iterations.
 */
export function layersOverRuns(
  runs: readonly NamedLayers[],
  student: StudentT,
  settings: readonly RunDifference[] = [],
): LayersOverRuns {
  const [first] = runs;
  for (const run of runs) requireAlike(first!, run);
  const count = runs.length;
  const errors = count < 2 ? NaN : errorsCovering(count, student) / Math.sqrt(count);
  return {
    runs: runs.map(({ run }) => run),
    settings,
    layers: first!.layers.map(({ layer, cumulative }, index) => {
      const own = runs.map(({ layers }) => layers[index]!);
      const totals = own.map(({ total }) => total);
      const curve = cumulative.map((_, t) => momentsOf(own.map((each) => each.cumulative[t]!)));
      return {
        layer,
        totals,
        test: testMean(totals, student),
        mean: curve.map(({ mean }) => mean),
        halfWidth: count < 2 ? null : curve.map(({ deviation }) => errors * deviation),
      };
    }),
  };
}

function requireAlike(a: NamedLayers, b: NamedLayers): void {
  const describe = ({ layers, iteration, objective, unit }: NamedLayers): string =>
    `${layers.map(({ layer, parameters }) => `${layer} (${parameters})`).join(', ')}; ${iteration.length - 1} segments of ${objective}, ${unit}`;
  const row = a.iteration.findIndex((at, t) => at !== b.iteration[t]);
  if (describe(a) === describe(b) && row === -1) return;
  // Of runs alike but for their iterations, the first row tells them apart.
  const isOfOther = describe(a) !== describe(b);
  const told = (own: NamedLayers): string =>
    isOfOther ? `${own.run} with ${describe(own)}` : `${own.run} with row ${row} of θ at iteration ${own.iteration[row]!}`;
  throw new UsageError({
    given: `${told(a)}, and ${told(b)}`,
    expected: 'runs of one network, of one objective, and with rows of θ at the same iterations',
    remedy: isOfOther
      ? 'analyse runs apart that differ in more than seeds and settings'
      : 'analyse them apart, or set them side by side at the iterations that they share, with lca compare',
  });
} // prettier-ignore
