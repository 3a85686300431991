import type { TrainedVerdict } from './roles.js';

/** What a trajectory says of the parameters of the model that it belongs to. */
export interface Evidence {
  /** K */
  readonly size?: number;
}

/** An initialiser of a model. */
export interface Candidate {
  readonly name: string;
  readonly size: number;
  readonly verdict: TrainedVerdict;
}

/** Up to so many tensors are judged otherwise than they look, so that the sizes add up. */
const mostChanges = 3;
/** Beyond so many choices, agreement would be chance. */
const mostOpen = 64;

/**
 * Names of the tensors that are trained. A size decides about tensors that may be parameters or buffers where exactly one choice with
 * the fewest changes to the first guess adds up to it.
 */
export function settledNames(candidates: readonly Candidate[], { size }: Evidence): Set<string> {
  const isOpen = ({ verdict }: Candidate): boolean => verdict === 'likely' || verdict === 'unlikely';
  const guessed = candidates.filter(({ verdict }) => verdict === 'trained' || verdict === 'likely');
  const result = new Set(guessed.map(({ name }) => name));
  const missing = (size ?? NaN) - guessed.reduce((total, candidate) => total + candidate.size, 0);
  for (const { name } of changesFor(candidates.filter(isOpen), missing)) {
    if (!result.delete(name)) result.add(name);
  }
  return result;
}

/** What it adds to the number of parameters when a tensor is judged otherwise. */
function changeOf({ verdict, size }: Candidate): number {
  return verdict === 'likely' ? -size : size;
}

/** The only smallest set of changes that adds up to `missing`; none where there is no such set. */
function changesFor(open: readonly Candidate[], missing: number): readonly Candidate[] {
  if (missing === 0 || !Number.isFinite(missing) || open.length > mostOpen) return [];
  for (let count = 1; count <= mostChanges; count++) {
    const fitting = subsets(open, count).filter(
      (subset) => subset.reduce((total, candidate) => total + changeOf(candidate), 0) === missing,
    );
    if (fitting.length > 0) return fitting.length === 1 ? fitting[0]! : [];
  }
  return [];
}

function subsets<T>(items: readonly T[], count: number): T[][] {
  if (count === 0) return [[]];
  return items.flatMap((item, k) => subsets(items.slice(k + 1), count - 1).map((rest) => [item, ...rest]));
}
