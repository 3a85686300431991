import { checkSegments, type ProgressSink, type SegmentRange } from '../../experiment/control.js';
import { type ArraySpec, isByRow } from '../../format/layout/arrays.js';
import { valueOf } from '../../format/windows.js';
import { columnEntries } from '../../ledger/columns.js';
import type { MeasuredSegment } from '../../ledger/measure-range.js';
import type { Numbers } from '../../ledger/types.js';
import type { IntegrationSettings } from '../../quadrature/types.js';
import type { RunFolder } from '../../store/folder.js';
import { type Deviation, inWords, isWithin, larger, none, relativeDifference, times } from './deviation.js';
import { type Oracle, oracleOf, type OracleOptions, type SegmentSource } from './oracles.js';
import type { WitnessKind } from './witness.js';

/** Deviations that need no explanation, by the precision of the engine that measured. */
const usual = {
  float32: { allocation: 1e-4, loss: 1e-5, residual: 1e-4 },
  float64: { allocation: 1e-9, loss: 1e-12, residual: 1e-11 },
} as const;

/**
 * How many times the effect of rounding single results to float32 a deviation may be: an engine rounds sums at every step, in an order
 * of its own.
 */
const roundings = 64;

/** Witnesses next to the points: an activation that nearly is at a kink falls on its other side in about half of them. */
const neighbours = [1, 2, 3, 4];

/** How many times what a kink does to them a deviation may be: an engine may have passed it at several points of a segment. */
const kinks = 2;

interface RecomputeOptions extends OracleOptions {
  /** Segments to recompute, spread evenly over what is measured. */
  readonly sample: number;
  /** Which of them; default all that are measured. */
  readonly segments?: SegmentRange | undefined;
  readonly progress: ProgressSink;
}

/** What recomputing found, in words. */
export interface Recomputation {
  readonly findings: readonly { readonly where: string; readonly what: string }[];
  readonly facts: readonly string[];
}

/**
 * Computes a sample of segments anew with the float64 reference engine, or with the run's objective process, and compares them with what is
 * stored; the engine that measured need not be here. What deviates more than usual from the reference is compared with what float32 can tell
 * there: the segment computed once more, every result rounded to float32; then next to its points, in case a kink of the network is as near to them as roundings reach.
 */
export async function recompute(run: RunFolder, options: RecomputeOptions): Promise<Recomputation> {
  const segments = sampleOf(run, options);
  if (segments.length === 0)
    return { findings: [], facts: ['no segment is measured yet, so none was recomputed'] };
  const oracle = await oracleOf(run, options);
  const check = new Check(run, oracle);
  const findings: { where: string; what: string }[] = [];
  let worst = none;
  options.progress.start(segments.length);
  try {
    for (const [index, from] of segments.entries()) {
      const { deviation, bound } = await check.segment(from);
      worst = larger(worst, deviation);
      if (!isWithin(deviation, bound)) {
        findings.push({
          where: `segment ${from}`,
          what: `differs from ${oracle.name}: ${inWords(deviation)}; at most ${inWords(bound)} expected`,
        });
      }
      options.progress.update(index + 1);
    }
  } finally {
    options.progress.stop();
    await check.close();
  }
  return {
    findings,
    facts: [
      `${segments.length} ${segments.length === 1 ? 'segment' : 'segments'} recomputed ${oracle.words}; largest deviations: ${inWords(worst)}`,
    ],
  };
}

/** As many of the measured segments as are asked for, evenly spread, the first and the last included where there are two or more. */
function sampleOf(
  run: RunFolder,
  { sample, segments }: Pick<RecomputeOptions, 'sample' | 'segments'>,
): number[] {
  if (segments !== undefined) checkSegments(segments, run.status.iterations);
  const { from, shape } = run.array('subintervals', segments);
  const used = Math.min(shape[0]!, sample);
  return Array.from(
    { length: used },
    (_, k) => from + (used === 1 ? 0 : Math.round((k * (shape[0]! - 1)) / (used - 1))),
  );
}

/** Numbers of one array in one segment. */
type Cells = (spec: ArraySpec) => Promise<ArrayLike<number>>;

/** Compares stored segments with an oracle. */
class Check {
  readonly #stored: (name: string, row: number) => Promise<Numbers>;
  readonly #witnesses = new Map<WitnessKind, Promise<SegmentSource>>();

  constructor(
    readonly run: RunFolder,
    readonly oracle: Oracle,
  ) {
    this.#stored = run.rowReader();
  }

  /** How far a stored segment is from the exact one, and how far it may be. */
  async segment(from: number): Promise<{ deviation: Deviation; bound: Deviation }> {
    const { precision } = this.run.manifest.definition;
    const exact = await this.#measure(from, 'exact');
    const deviation = await this.#compare(exact, (spec) => this.#storedCells(spec, from));
    const bound = usual[precision];
    const isFinal = precision === 'float64' || !this.oracle.explains;
    if (isFinal || isWithin(deviation, bound)) return { deviation, bound };
    return { deviation, bound: await this.#explained(from, exact, deviation) };
  }

  async close(): Promise<void> {
    for (const witness of this.#witnesses.values()) await (await witness).close();
    await this.oracle.close();
  }

  /** How far a segment may be from the exact one where it is further than usual: as far as witnesses are, until they explain it. */
  async #explained(from: number, exact: MeasuredSegment, deviation: Deviation): Promise<Deviation> {
    const effectOf = async (kind: WitnessKind) => {
      const other = await this.#measure(from, kind);
      return this.#compare(exact, (spec) => Promise.resolve(cellsOf(other, spec)));
    };
    const rounded = await effectOf('rounded');
    // A probability next to 1 is off by 2^-24, and so is its loss, however small: relative to it that may be much.
    const loss = Math.max(rounded.loss, this.#lossFloor(exact));
    const effect = { ...rounded, loss, residual: Math.max(rounded.residual, loss) };
    let bound = larger(usual.float32, times(roundings, effect));
    for (const seed of neighbours) {
      if (isWithin(deviation, bound)) break;
      bound = larger(bound, times(kinks, await effectOf(seed)));
    }
    return bound;
  }

  #lossFloor({ rows }: MeasuredSegment): number {
    if (this.run.manifest.definition.unit !== 'nats') return 0;
    return Math.max(...rows.map(({ loss }) => 2 ** -24 / Math.max(...loss.map(Math.abs))));
  }

  async #measure(from: number, kind: WitnessKind): Promise<MeasuredSegment> {
    const own = this.#witnesses.get(kind) ?? this.oracle.open(kind);
    this.#witnesses.set(kind, own);
    // The stored segment tells how far it was refined; the reference must use the same points.
    return (await own).measure(from, await this.#storedSettings(from));
  }

  /** The rule and number of subintervals that a segment ended with, refinement off. */
  async #storedSettings(segment: number): Promise<IntegrationSettings> {
    const { rule, subintervals: first } = this.oracle.config;
    const subintervals = (await this.#stored('subintervals', segment))[0]!;
    // Adaptive goes on with Simpson at twice its first subintervals or more.
    const adaptive = subintervals === (first ?? 1) ? 'trapezoid' : 'simpson';
    return {
      rule: rule === 'adaptive' ? adaptive : rule,
      tolerance: null,
      subintervals,
      maxSubintervals: subintervals,
    };
  }

  /** What a column holds of a segment; by row of θ, at its start and at its end. */
  async #storedCells(spec: ArraySpec, segment: number): Promise<ArrayLike<number>> {
    const start = await this.#stored(spec.name, segment);
    return isByRow(spec) ? [...start, ...(await this.#stored(spec.name, segment + 1))] : start;
  }

  /** Every column that can be compared, of every objective. */
  async #compare(exact: MeasuredSegment, others: Cells): Promise<Deviation> {
    let worst = none;
    for (const spec of this.run.context.arrays) {
      const compare = columnEntries().find(([known]) => known === spec.column)?.[1].compare;
      if (compare === undefined || spec.objective === null) continue;
      const expected = cellsOf(exact, spec);
      const scale = compare === 'allocation' ? expected : exact.rows[spec.objective]!.loss;
      const relative = relativeDifference(await others(spec), expected, scale);
      worst = larger(worst, { ...none, [compare]: relative });
    }
    return worst;
  }
}

function cellsOf({ rows }: MeasuredSegment, spec: ArraySpec): ArrayLike<number> {
  const cells = valueOf(rows[spec.objective!]!, spec);
  return typeof cells === 'number' ? [cells] : cells;
}
