import { UsageError } from '../../errors.js';
import { analyseLayers } from '../objective.js';
import { type MeanTest, type StudentT, testMean } from '../statistics/t-test.js';
import type { ThemeContext, Watcher } from '../themes/sweep.js';

/** What the layers did in one run (paper Section 4, Figures 4 and S11–S14). */
export interface LayersAnalysis {
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
      return { layers };
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

/** Means over runs that differ in their seeds. */
export interface LayersOverRuns {
  readonly runs: readonly string[];
  readonly layers: readonly LayerOverRuns[];
}

/** One run's layers with its name. */
export interface NamedLayers {
  readonly run: string;
  readonly layers: LayersAnalysis['layers'];
}

/**
 * Compares layers over runs.
 *
 * @throws UsageError where the runs do not have the same layers and the same number of segments.
 */
export function layersOverRuns(runs: readonly NamedLayers[], student: StudentT): LayersOverRuns {
  const [first] = runs;
  for (const { run, layers } of runs) requireAlike(first!, { run, layers });
  return {
    runs: runs.map(({ run }) => run),
    layers: first!.layers.map(({ layer, cumulative }, index) => {
      const own = runs.map(({ layers }) => layers[index]!);
      const totals = own.map(({ total }) => total);
      const tests = cumulative.map((_, t) =>
        testMean(own.map((each) => each.cumulative[t]!), student),
      ); // prettier-ignore
      return {
        layer,
        totals,
        test: testMean(totals, student),
        mean: tests.map(({ mean }) => mean),
        halfWidth: runs.length < 2 ? null : tests.map(({ mean, interval }) => interval![1] - mean),
      };
    }),
  };
}

function requireAlike(a: NamedLayers, b: NamedLayers): void {
  const describe = ({ layers }: NamedLayers): string =>
    `${layers.map(({ layer, parameters }) => `${layer} (${parameters})`).join(', ')}; ${layers[0]!.cumulative.length - 1} segments`;
  if (describe(a) === describe(b)) return;
  throw new UsageError({
    given: `${a.run} with ${describe(a)}, and ${b.run} with ${describe(b)}`,
    expected: 'runs of one network and of equal length',
    remedy: 'analyse runs apart that differ in more than seeds and settings',
  });
}
