import { rangesOf, type Ranges } from '../../ledger/layout.js';
import { sum } from '../../num/sums.js';
import { analyseCertainty, type CertaintyAnalysis } from '../certainty.js';
import { analyseShares, type Shares } from '../shares.js';
import { medianOf } from '../statistics/median.js';
import type { ThemeContext, Watcher } from '../themes/sweep.js';
import { binOfShare, coinBins, shareBins } from './coins.js';
import { countSigns, createSignCounts, type Pair, pairs, type SignCounts } from './signs.js';

/** Parameters by the share of iterations in which they help (paper Figure 3(d)). */
export interface ShareHistogram {
  /** [21] from 0 to 1. */
  readonly edges: readonly number[];
  /** [20] by the share of its iterations that are not exactly zero; parameters without any are left out. */
  readonly ofNonzero: readonly number[];
  /** [20] by the share of all iterations. */
  readonly ofAll: readonly number[];
  /** [20] `ofNonzero` expected if every sign were an independent toss of a coin that helps as often as all entries do. */
  readonly coins: readonly number[];
  /** Parameters whose allocation is zero in every iteration. */
  readonly never: number;
  /** Variance of the shares over that of the coins: 1 for coins, more where some parameters help more often than others. */
  readonly dispersion: number | null;
  /** Parameters that help in at least 95 % of their iterations that are not zero, and the median number of these iterations. */
  readonly always: { readonly parameters: number; readonly medianIterations: number | null };
}

/** How often a parameter helps right after it hurt, and after it helped; null where there was no such pair. */
export interface Alternation {
  readonly counts: Readonly<Record<Pair, number>>;
  readonly helpsAfterHurting: number | null;
  readonly helpsAfterHelping: number | null;
  /** Share of pairs with opposite signs. */
  readonly changes: number | null;
  /** The same of coins: 2p(1 − p). */
  readonly changesOfCoins: number | null;
}

/** How far allocations come by adding up, against a walk of the same steps in random directions. */
export interface Walk {
  /** Σ over parameters of (Σ_t a)² over Σ_t a²: 1 for a random walk, T for steps that are all alike; null where all is zero. */
  readonly ratio: number | null;
  /** Share of the parameters that moved the loss which lowered it over the run: 1/2 for a random walk. */
  readonly helpedOverall: number | null;
  /** Σ abs(Σ_t a) in the loss's unit, and what a random walk of Gaussian steps is expected to give: √(2/π) Σ √(Σ_t a²). */
  readonly reach: number;
  readonly reachOfWalk: number;
}

/** How noisy learning is (paper Section 3, Figures 3 and S3–S6, Table 1). Shares over time are those of `analyseShares`. */
export interface NoiseAnalysis {
  /** Of all entries of the run. */
  readonly shares: Shares;
  /** Mean over iterations of the share of helping entries of those not zero; the paper averages so. */
  readonly meanHelping: number | null;
  readonly perLayer: readonly {
    readonly layer: string;
    readonly shares: Shares;
    /** Null where allocations were not kept, as all that follow. */
    readonly alternation: Alternation | null;
    readonly walk: Walk | null;
  }[];
  /** How many signs are undetermined, and what that leaves open of the shares; null where errors were not estimated. */
  readonly certainty: CertaintyAnalysis | null;
  readonly histogram: ShareHistogram | null;
  readonly alternation: Alternation | null;
  readonly walk: Walk | null;
}

const ratio = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);

const sumOver = (values: Int32Array | Float64Array, ranges: Ranges): number =>
  sum(ranges.map(([from, to]) => sum(Float64Array.from(values.subarray(from, to)))));

function alternationOf(counts: SignCounts, ranges: Ranges): Alternation {
  const of = Object.fromEntries(pairs.map((pair) => [pair, sumOver(counts.pairs[pair], ranges)])) as Record<
    Pair,
    number
  >;
  const p = ratio(sumOver(counts.helping, ranges), sumOver(counts.nonzero, ranges));
  const all = pairs.reduce((total, pair) => total + of[pair], 0);
  return {
    counts: of,
    helpsAfterHurting: ratio(of.hurtHelp, of.hurtHelp + of.hurtHurt),
    helpsAfterHelping: ratio(of.helpHelp, of.helpHelp + of.helpHurt),
    changes: ratio(of.helpHurt + of.hurtHelp, all),
    changesOfCoins: p === null ? null : 2 * p * (1 - p),
  };
}

function walkOf({ sums, squares }: SignCounts, ranges: Ranges): Walk {
  let [moved, helped, reach, roots, ends] = [0, 0, 0, 0, 0];
  for (const [from, to] of ranges) {
    for (let k = from; k < to; k++) {
      moved += Number(sums[k]! !== 0);
      helped += Number(sums[k]! < 0);
      reach += Math.abs(sums[k]!);
      roots += Math.sqrt(squares[k]!);
      ends += sums[k]! ** 2;
    }
  }
  return {
    ratio: ratio(ends, sumOver(squares, ranges)),
    helpedOverall: ratio(helped, moved),
    reach,
    reachOfWalk: Math.sqrt(2 / Math.PI) * roots,
  };
}

/** Parameters by their number of iterations that are not zero: a coin's chances depend on nothing else. */
function byIterations(nonzero: Int32Array): Map<number, number> {
  const found = new Map<number, number>();
  for (const n of nonzero) if (n > 0) found.set(n, (found.get(n) ?? 0) + 1);
  return found;
}

function coinsOf(nonzero: Int32Array, p: number): number[] {
  const expected = new Float64Array(shareBins);
  for (const [n, parameters] of byIterations(nonzero)) {
    coinBins(n, p).forEach((chance, bin) => (expected[bin]! += parameters * chance));
  }
  return [...expected];
}

function alwaysOf({ nonzero, helping }: SignCounts): ShareHistogram['always'] {
  const iterations = [...nonzero].filter((n, k) => n > 0 && 20 * helping[k]! >= 19 * n).sort((a, b) => a - b);
  return { parameters: iterations.length, medianIterations: medianOf(iterations) };
}

function histogramOf(counts: SignCounts, segments: number): ShareHistogram {
  const { nonzero, helping } = counts;
  const [ofNonzero, ofAll] = [new Array<number>(shareBins).fill(0), new Array<number>(shareBins).fill(0)];
  const p = ratio(sum(Float64Array.from(helping)), sum(Float64Array.from(nonzero)));
  let [found, expected] = [0, 0];
  for (let k = 0; k < nonzero.length; k++) {
    const n = nonzero[k]!;
    ofAll[binOfShare(helping[k]!, segments)]!++;
    if (n === 0) continue;
    ofNonzero[binOfShare(helping[k]!, n)]!++;
    found += (helping[k]! - n * p!) ** 2;
    expected += n * p! * (1 - p!);
  }
  return {
    edges: Array.from({ length: shareBins + 1 }, (_, bin) => bin / shareBins),
    ofNonzero,
    ofAll,
    coins: p === null || p === 0 || p === 1 ? [...ofNonzero] : coinsOf(nonzero, p),
    never: nonzero.reduce((count, n) => count + Number(n === 0), 0),
    dispersion: ratio(found, expected),
    always: alwaysOf(counts),
  };
}

function meanHelpingOf({ view, objective }: ThemeContext): number | null {
  const { helping, hurting } = analyseShares(view, objective).perIteration;
  const shares = helping.flatMap((count, t) => ratio(count, count + hurting[t]!) ?? []);
  return ratio(sum(shares), shares.length);
}

/** Watches signs and sizes of all parameters' allocations. */
export function watchNoise(context: ThemeContext): Watcher<NoiseAnalysis> {
  const { view, objective } = context;
  const { layout, segments } = view;
  const counts = context.has('allocation') ? createSignCounts(layout.size) : null;
  return {
    passes: counts === null ? [] : [{ allocation: (row) => countSigns(counts, row) }],
    finish() {
      const shares = analyseShares(view, objective);
      const all: Ranges = [[0, layout.size]];
      return {
        shares: shares.run.shares,
        meanHelping: meanHelpingOf(context),
        perLayer: shares.perLayer.map((own) => {
          const ranges = rangesOf(layout, own.layer);
          return {
            layer: own.layer,
            shares: own.shares,
            alternation: counts && alternationOf(counts, ranges),
            walk: counts && walkOf(counts, ranges),
          };
        }),
        certainty: analyseCertainty(view, objective),
        histogram: counts && histogramOf(counts, segments),
        alternation: counts && alternationOf(counts, all),
        walk: counts && walkOf(counts, all),
      };
    },
  };
}
