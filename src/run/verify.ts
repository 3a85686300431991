import { auditObjective } from '../analysis/conservation.js';
import type { LedgerView } from '../ledger/view.js';
import { placeOf } from '../store/place.js';
import { openRun } from '../store/open.js';
import { verifyRun } from '../format/verify/verify.js';
import { checkSegments, type SegmentRange, silent, type ProgressSink } from '../experiment/control.js';
import type { Places } from '../experiment/places.js';
import { recompute } from './recompute/recompute.js';

export interface Verification {
  /** Empty: the run is sound. */
  readonly findings: readonly { readonly where: string; readonly what: string }[];
  /** What was checked and held, for people. */
  readonly facts: readonly string[];
  /** Of objectives whose allocations do not add up to the change of their loss: that, for people. They are stored as they were measured. */
  readonly unbalanced: readonly string[];
}

/** How much of a run is checked, and who is told. */
export interface VerifyOptions {
  /** Segments to recompute, spread evenly over what is measured; default 0. */
  readonly sample?: number | undefined;
  /** Which of them may be recomputed; default all that are measured. */
  readonly segments?: SegmentRange | undefined;
  readonly workers?: number | undefined;
  /** Of an objective process; default 1. */
  readonly processes?: number | undefined;
  readonly places?: Places | undefined;
  /** Told of what is read; default nobody. */
  readonly checking?: ProgressSink | undefined;
  /** Told of what is recomputed; default nobody. */
  readonly recomputing?: ProgressSink | undefined;
}

/** Checks a stored run, and recomputes a sample of its segments: in float64, or with its objective process. */
export async function verifyFolder(
  folder: string,
  {
    sample = 0,
    segments,
    checking = silent,
    recomputing = silent,
    workers,
    processes,
    places,
  }: VerifyOptions = {},
): Promise<Verification> {
  if (segments !== undefined) await requireSegments(folder, segments);
  const stored = await checkStored(folder, checking);
  if (sample === 0 || stored.findings.length > 0) return stored;
  const recomputed = await recompute(await openRun(folder), {
    sample,
    segments,
    workers,
    processes,
    places,
    progress: recomputing,
  });
  return {
    ...stored,
    findings: [...stored.findings, ...recomputed.findings],
    facts: [...stored.facts, ...recomputed.facts],
  };
}

/** Refuses segments that a run has not before all of it is checked; what of a damaged run cannot be read is found by that. Throws UsageError. */
async function requireSegments(folder: string, segments: SegmentRange): Promise<void> {
  const run = await openRun(folder).catch(() => null);
  if (run !== null) checkSegments(segments, run.status.iterations);
}

function unbalancedIn(view: LedgerView): string[] {
  if (view.segments === 0) return [];
  return view.objectives.flatMap(({ name }) => {
    const { balance, chosen, lossChange } = auditObjective(view, name);
    const [allocated, changed] = [chosen.allocations, lossChange].map((value) =>
      Number(value.toPrecision(6)),
    );
    const told = `the ledger of ${name} does not balance: allocations of ${allocated!} where its loss changed by ${changed!} ${view.unit}; the rule was too coarse, nothing is damaged`;
    return balance === 'unbalanced' ? [told] : [];
  });
}

async function checkStored(folder: string, progress: ProgressSink): Promise<Verification> {
  // The number of parts is known with the first of them.
  let started = false;
  const found = await verifyRun(placeOf(folder), (done, total) => {
    if (!started) progress.start(total);
    started = true;
    progress.update(done);
  }).finally(() => {
    if (started) progress.stop();
  });
  const findings = found.map(({ file, array, rows, what }) => ({
    where:
      array === null
        ? file
        : `${file} (array ${array}${rows ? `, ${rows.to - rows.from === 1 ? `row ${rows.from}` : `rows ${rows.from} to ${rows.to - 1}`}` : ''})`,
    what,
  }));
  if (findings.length > 0) return { findings, facts: [], unbalanced: [] };
  const run = await openRun(folder);
  const { rows, segments, iterations } = run.status;
  return {
    unbalanced: unbalancedIn(await run.view()),
    findings,
    facts: [
      `${rows} rows of theta and ${segments} of ${iterations} segments: checksums agree`,
      'journal and arrays say the same; losses, allocations, sums and residuals fit each other',
    ],
  };
}
