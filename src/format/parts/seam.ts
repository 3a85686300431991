import { signChanges } from '../../ledger/measures/gradients.js';
import type { Numbers } from '../../ledger/types.js';
import { type ArraySpec, chunkPath, isByRow, widthOf } from '../layout/arrays.js';
import { encodeNumbers } from '../codec.js';
import type { RunContext } from '../context.js';
import { decodeRecord } from '../windows.js';
import { chunksOf, type PartSegment } from './part.js';

/** What two segments state of the row of θ between them: of each array by row, one row [width]. */
export type SeamCells = readonly Numbers[];

/** How far losses may lie apart that two machines compute at one θ, relative to their size. */
const lossTolerance = 1e-5;

/** Arrays by row of θ: what neighbours both state. */
export function rowSpecs({ windowArrays }: RunContext): ArraySpec[] {
  return windowArrays.filter(isByRow);
}

/**
 * Where the numbers at the end of a segment, rows [width], are not those at the start of the next, in words; null where they agree. `mixed`: two machines
 * computed them, so that losses agree but for rounding, and nothing else can be compared.
 */
export function seamProblem(
  specs: readonly ArraySpec[],
  end: SeamCells,
  start: SeamCells,
  mixed: boolean,
): string | null {
  const differs = (a: number, b: number, { column }: ArraySpec): boolean => {
    if (!mixed) return !Object.is(a, b);
    return column === 'loss' && !(Math.abs(a - b) <= lossTolerance * (Math.abs(a) + Math.abs(b)));
  };
  for (const [k, spec] of specs.entries()) {
    const at = end[k]!.findIndex((value, index) => differs(value, start[k]![index]!, spec));
    if (at >= 0) return `state two numbers of ${spec.name} where they meet: ${end[k]![at]!} and ${start[k]![at]!}`; // prettier-ignore
  }
  return null;
}

/**
 * A segment that meets neighbours of another machine: at the ends that are given it states their numbers [width], and what follows from them (residuals, changes
 * of sign) follows from theirs. Throws StoreError where a chunk is damaged.
 */
export async function withEnds(
  context: RunContext,
  { record, bytes }: PartSegment,
  ends: readonly [SeamCells | null, SeamCells | null],
): Promise<PartSegment> {
  const amended = bytes.slice();
  const chunks = await chunksOf(context, record);
  const changed = new Map<string, Uint8Array>();
  const rows = [...record.rows];
  const before = (spec: ArraySpec) => chunks.get(spec) ?? decodeRecord(context, bytes, spec);
  const set = (spec: ArraySpec, numbers: Numbers): void => {
    const place = context.recordPlaces.get(spec);
    if (place !== undefined) encodeNumbers(numbers, amended.subarray(place.start, place.end));
    else {
      const own = encodeNumbers(numbers);
      changed.set(chunkPath(spec, record.segment), own);
      rows[context.rowArrays.indexOf(spec)] = context.digest(own);
    }
  };
  for (const [k, spec] of rowSpecs(context).entries()) {
    const numbers = before(spec).slice();
    for (const [end, cells] of ends.entries())
      if (cells !== null) numbers.set(cells[k]!, end * widthOf(spec));
    set(spec, numbers);
  }
  setDerived(context, before, (spec) => decodeRecord(context, amended, spec), set);
  return { record: { ...record, record: context.digest(amended), rows }, bytes: amended, changed };
}

/** Sets what follows from losses and signs at the ends of a segment, where these changed. */
function setDerived(
  { arrays, layout }: RunContext,
  before: (spec: ArraySpec) => Numbers,
  after: (spec: ArraySpec) => Numbers,
  set: (spec: ArraySpec, numbers: Numbers) => void,
): void {
  const own = (column: string, { objective }: ArraySpec): ArraySpec =>
    arrays.find((spec) => spec.column === column && spec.objective === objective)!;
  const change = (of: (spec: ArraySpec) => Numbers, spec: ArraySpec): number => {
    const [start, end] = of(own('loss', spec));
    return end! - start!;
  };
  for (const spec of arrays) {
    if (spec.column === 'residual')
      set(spec, Float64Array.of(before(own('total', spec))[0]! - change(after, spec)));
    if (spec.column === 'left_residual')
      set(spec, Float64Array.of(before(spec)[0]! - (change(after, spec) - change(before, spec))));
    if (spec.column !== 'sign_changes') continue;
    const signs = after(own('gradient_sign', spec)) as Uint8Array;
    const changes = signChanges(signs, layout);
    set(spec, Int32Array.from(changes[spec.grouping!]!));
  }
}
