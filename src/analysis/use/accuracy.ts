/** How many labels the network names rightly at some rows of θ. */
export interface Accuracy {
  /** Rows of θ, ascending: the first, the last, and some between [R]. */
  readonly rows: readonly number[];
  /** Training iteration of each [R]. */
  readonly iteration: readonly number[];
  /** In the run's order. */
  readonly objectives: readonly ObjectiveAccuracy[];
}

/** The accuracy of one objective, on the examples that its loss is measured on. */
export interface ObjectiveAccuracy {
  readonly name: string;
  /** Labels that count. */
  readonly labels: number;
  /** Share of them that are right [R], in [0, 1]; where several outputs are the largest, by the chance that one at random is right. */
  readonly share: readonly number[];
}

/** The accuracy, or why there is none. */
export type AccuracyFinding = Accuracy | { readonly missing: string };

/** Rows at which a run's accuracy is computed at most. */
const mostRows = 21;

/**
 * Rows of θ_0 … θ_T at which accuracy is computed, evenly spaced and both ends among them. A row costs a third of an evaluation of the gradient,
 * and a segment takes two or more of these: a row for every fifth segment, at least five, adds a few percent to measuring at most.
 */
export function accuracyRows(segments: number): number[] {
  const steps = Math.min(segments, mostRows - 1, Math.max(4, Math.round(segments / 5)));
  return Array.from({ length: steps + 1 }, (_, k) => Math.round((k * segments) / Math.max(1, steps)));
}

/**
 * A finding with what measured losses [T + 1] show to be otherwise: where a mean cross-entropy is exactly 0 all labels have the probability 1
 * and are right. Versions before 0.1.0 was released stored 0 for networks of one class.
 */
export function withCertain(
  finding: AccuracyFinding,
  lossOf: (name: string) => ArrayLike<number>,
): AccuracyFinding {
  if ('missing' in finding) return finding;
  const { rows } = finding;
  return {
    ...finding,
    objectives: finding.objectives.map((own) => {
      const loss = lossOf(own.name);
      return { ...own, share: own.share.map((share, r) => (loss[rows[r]!] === 0 ? 1 : share)) };
    }),
  };
}

/** The accuracy of an objective; null where there is none. */
export function accuracyOf(finding: AccuracyFinding, name: string): ObjectiveAccuracy | null {
  return 'missing' in finding ? null : (finding.objectives.find((own) => own.name === name) ?? null);
}
