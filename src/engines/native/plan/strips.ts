import { splitEvenly } from '../emit/tiles.js';
import type { StoredObject } from './objects.js';
import type { Split, Step } from './step.js';

/**
 * Steps that go together over each example, strip by strip: what one of them stores is still in the cache when the next reads it. A step
 * that is alone takes whole examples, or groups of them, at once.
 */
export interface Run {
  readonly steps: readonly Step[];
  /** Equal parts of each example. */
  readonly parts: number;
  /** Where strips start, and where the last one ends, in parts. */
  readonly bounds: readonly number[];
}

/**
 * Bytes of a strip, of all tensors of its run: half of a core's second-level cache. Shorter ones would break up what is read from memory, such
 * as activations in the backward pass, into pieces that the processor does not foresee.
 */
const STRIP_BYTES = 512 << 10;

/** A run to which steps are still added. */
interface Draft {
  readonly steps: Step[];
  readonly reads: Set<StoredObject>;
  readonly writes: Set<StoredObject>;
  /** What some step reads or writes other than part by part. */
  readonly whole: Set<StoredObject>;
  /** Null where it is a step that does not divide. */
  division: Pick<Split, 'parts' | 'tile'> | null;
}

function objectsOf(step: Step, access: 'read' | 'write'): StoredObject[] {
  const wanted = step.arguments.filter((argument) => argument.access === access);
  return wanted.map(({ object }) => object).filter(({ kind }) => kind !== 'scratch');
}

function add(draft: Draft, step: Step): void {
  draft.steps.push(step);
  for (const object of objectsOf(step, 'read')) draft.reads.add(object);
  for (const object of objectsOf(step, 'write')) draft.writes.add(object);
  for (const object of step.split?.whole ?? []) draft.whole.add(object);
}

function begin(step: Step): Draft {
  const draft: Draft = {
    steps: [],
    reads: new Set(),
    writes: new Set(),
    whole: new Set(),
    division: step.split,
  };
  add(draft, step);
  return draft;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/**
 * How a run divides that a step joins; null where it cannot. Only the first step of a run has tiles, as a layer has: a second one's weights
 * would be read again for each strip, and its results lie between those that the next steps want.
 */
function commonDivision(run: Draft['division'], step: Split | null): Draft['division'] {
  if (run === null || step === null || step.tile > 1) return null;
  const parts = greatestCommonDivisor(run.parts, step.parts);
  const isCut = run.tile === 1 || parts === run.parts;
  return isCut && parts > 1 ? { parts, tile: run.tile } : null;
}

/** The same, where it reads what the run writes: it must get that part by part. */
function joinedDivision(draft: Draft, step: Step): Draft['division'] {
  const division = commonDivision(draft.division, step.split);
  if (division === null) return null;
  const handedOn = objectsOf(step, 'read').filter((object) => draft.writes.has(object));
  const isByPart = handedOn.every(
    (object) =>
      object.kind === 'tensor' &&
      object.elements % division.parts === 0 &&
      !draft.whole.has(object) &&
      !step.split!.whole.has(object),
  );
  return isByPart ? division : null;
}

/** Joins the last run that writes what the step reads, if it can, and can be done as early as that. */
function join(drafts: readonly Draft[], step: Step): boolean {
  const reads = objectsOf(step, 'read');
  const writes = objectsOf(step, 'write');
  const last = drafts.findLastIndex((draft) => reads.some((object) => draft.writes.has(object)));
  if (last < 0) return false;
  const isTouched = drafts
    .slice(last)
    .some((draft) => writes.some((object) => draft.writes.has(object) || draft.reads.has(object)));
  const division = isTouched ? null : joinedDivision(drafts[last]!, step);
  if (division === null) return false;
  drafts[last]!.division = division;
  add(drafts[last]!, step);
  return true;
}

function boundsOf(
  { reads, writes }: Draft,
  { parts, tile }: Pick<Split, 'parts' | 'tile'>,
  vectorBytes: number,
): number[] {
  const elements = [...new Set([...reads, ...writes])].reduce(
    (sum, object) => sum + (object.kind === 'tensor' ? object.elements : 0),
    0,
  );
  const tiles = splitEvenly(parts, tile).flatMap(({ start, size, count }) =>
    Array.from({ length: count }, (_, k) => start + k * size),
  );
  const bytes = (elements / parts) * tile * vectorBytes;
  const atOnce = Math.max(1, Math.floor(STRIP_BYTES / bytes));
  return [...tiles.filter((_, k) => k % atOnce === 0), parts];
}

/** Groups steps, which are in an order that respects what needs what, into runs, in such an order. */
export function runsOf(steps: readonly Step[], vectorBytes: number): Run[] {
  const drafts: Draft[] = [];
  for (const step of steps) if (!join(drafts, step)) drafts.push(begin(step));
  return drafts.map((draft) => {
    const { division } = draft;
    if (draft.steps.length === 1 || division === null)
      return { steps: draft.steps, parts: 1, bounds: [0, 1] };
    return { steps: draft.steps, parts: division.parts, bounds: boundsOf(draft, division, vectorBytes) };
  });
}
