import { isLossledgerError } from '../../errors.js';
import { audit } from '../../ledger/columns.js';
import type { RowDivision } from '../../ledger/laws/law.js';
import type { Numbers } from '../../ledger/types.js';
import { type ArraySpec, widthOf } from '../layout/arrays.js';
import type { RunContext } from '../context.js';
import { differences } from './environment.js';
import { divisionOf } from '../manifest.js';
import type { SegmentRecord } from '../records.js';
import type { RunState } from '../state.js';
import { decodeRecord, doMeet, readRecord, RecordView, WindowReader } from '../windows.js';
import { chunksOf, type Part, segmentsOf } from './part.js';
import type { Plan, Task } from './plan.js';
import { rowSpecs, type SeamCells, seamProblem } from './seam.js';

/** A run that parts are checked against. */
export interface CheckedRun {
  readonly context: RunContext;
  readonly state: RunState;
}

/** How a part is judged. */
export interface PartExpectation {
  readonly plan: Plan;
  readonly task: Task;
  /** Whether other machines and versions than those that the plan is for may have measured. */
  readonly mixed: boolean;
}

/** Why a part cannot be merged, in words; null where it can. */
export async function partProblem(
  run: CheckedRun,
  part: Part,
  expectation: PartExpectation,
): Promise<string | null> {
  const problem = headerProblem(part, expectation);
  if (problem !== null) return problem;
  try {
    return await contentProblem(run, part, expectation);
  } catch (error) {
    if (isLossledgerError(error) && error.tag === 'store') return error.problem.given;
    throw error;
  }
}

/** Whether numbers of two machines may meet where a part is merged. */
export function meetsOthers(
  { state }: CheckedRun,
  { header }: Part,
  { task, mixed }: PartExpectation,
): boolean {
  return mixed && (state.mixed.length > 0 || differences(header.environment, task.environment).length > 0);
}

/** What the run states of the rows of θ at which a range begins and ends, one row [width] of each array by row; null where no segment is stored there yet. */
export async function neighboursOf(
  { context, state }: CheckedRun,
  { from, to }: Task,
): Promise<[SeamCells | null, SeamCells | null]> {
  const reader = new WindowReader(context, state);
  const specs = rowSpecs(context);
  const cells = async (row: number, segment: number): Promise<SeamCells | null> => {
    if (state.segments[segment] !== 1) return null;
    if (state.windows[Math.floor(segment / context.windowRows)] === 1)
      return Promise.all(specs.map((spec) => reader.row(spec, row)));
    const record = await readRecord(context, state, segment);
    return cellsOf(context, record)[row - segment]!;
  };
  return [await cells(from, from - 1), await cells(to, to)];
}

/** Why a part is no whole part of a task, in words; null where it is one. */
function headerProblem({ header, segments }: Part, { plan, task, mixed }: PartExpectation): string | null {
  if (header.manifest !== plan.manifest) return 'it is of another run (another manifest)';
  if (header.task !== task.task) return `it is of task ${header.task}`;
  if (header.plan !== task.plan || header.from !== task.from || header.to !== task.to)
    return `it was made by another plan, for segments ${header.from} to ${header.to - 1}`;
  const others = mixed ? [] : differences(header.environment, task.environment);
  if (others.length > 0) return `it was measured with ${others.join(', ')}; lca merge --mixed takes it`;
  for (let segment = task.from; segment < task.to; segment++)
    if (!segments.has(segment)) return `it lacks segment ${segment}`;
  return segments.size === task.to - task.from ? null : 'it holds segments outside its range';
}

/** What is wrong with the segments of a part, in order: their θ, their laws, their neighbours. */
async function contentProblem(
  run: CheckedRun,
  part: Part,
  expectation: PartExpectation,
): Promise<string | null> {
  const { from, to } = expectation.task;
  const auditor = new Auditor(part.context);
  const ends = rowSpecs(run.context);
  const isMixed = meetsOthers(run, part, expectation);
  const neighbours = await neighboursOf(run, expectation.task);
  const seamBefore = (segment: number, end: SeamCells | null, start: SeamCells | null): string | null => {
    const seam =
      end && start && seamProblem(ends, end, start, isMixed && (segment === from || segment === to));
    return seam && `segments ${segment - 1} and ${segment} ${seam}`;
  };
  let before: Uint8Array | null = null;
  for await (const { record, bytes } of segmentsOf(part)) {
    const { segment } = record;
    const meets = before !== null && ends.every((spec) => doMeet(run.context, spec, before!, bytes));
    const [end, start] = meets
      ? [null, null]
      : [before === null ? neighbours[0] : cellsOf(run.context, before)[1], cellsOf(run.context, bytes)[0]];
    const broken =
      thetaProblem(run.state, record) ??
      auditor.problem(segment, bytes, await chunksOf(part.context, record)) ??
      seamBefore(segment, end, start);
    if (broken !== null) return broken;
    before = bytes;
  }
  return seamBefore(to, cellsOf(run.context, before!)[1], neighbours[1]);
}

/** What a record states of the rows of θ at which its segment begins and ends, one row [width] of each array by row. */
function cellsOf(context: RunContext, record: Uint8Array): [SeamCells, SeamCells] {
  const specs = rowSpecs(context);
  const cells = specs.map((spec) => decodeRecord(context, record, spec));
  return [
    cells.map((own, k) => own.subarray(0, widthOf(specs[k]!))),
    cells.map((own, k) => own.subarray(widthOf(specs[k]!))),
  ];
}

/** Where a segment was measured from another row of θ than the run has, in words. */
function thetaProblem(state: RunState, { segment, theta }: SegmentRecord): string | null {
  const end = theta.findIndex((sha, own) => state.rows[segment + own] !== 1 || !state.theta.is(segment + own, sha)); // prettier-ignore
  return end < 0 ? null : `segment ${segment} was measured from another row ${segment + end} of theta`;
}

/** An objective whose rows are judged. */
interface JudgedObjective {
  readonly name: string;
  readonly division: RowDivision;
  /** Numbers by column: those of records always on the same memory, those of chunks set for each segment. */
  readonly numbers: Map<string, Numbers>;
  readonly chunked: readonly (readonly [column: string, spec: ArraySpec])[];
}

/** Judges segments by the laws of all columns. */
class Auditor {
  readonly #record: RecordView;
  readonly #objectives: readonly JudgedObjective[];

  constructor(readonly context: RunContext) {
    const record = new RecordView(context);
    this.#record = record;
    this.#objectives = context.manifest.objectives.map(({ name }, index) => {
      const arrays = context.arrays
        .filter(({ column, objective }) => column !== null && (objective ?? index) === index)
        .map((spec) => [spec.grouping === null ? spec.column! : `${spec.column!}/${spec.grouping}`, spec] as const);
      const small = arrays.flatMap(([column, spec]) => {
        const numbers = record.numbers.get(spec);
        return numbers === undefined ? [] : [[column, numbers] as const];
      });
      const chunked = arrays.filter(([, spec]) => !record.numbers.has(spec));
      return { name, division: divisionOf(context.manifest, index), numbers: new Map(small), chunked };
    });
  } // prettier-ignore

  /** The first law that a segment breaks, in words; null where it obeys all. */
  problem(segment: number, record: Uint8Array, chunks: ReadonlyMap<ArraySpec, Numbers>): string | null {
    this.#record.show(record);
    for (const { name, division, numbers, chunked } of this.#objectives) {
      for (const [column, spec] of chunked) numbers.set(column, chunks.get(spec)!);
      const [broken] = audit((column) => numbers.get(column) ?? null, this.context.layout, division);
      if (broken !== undefined) return `segment ${segment} does not balance: ${broken.what} differ by ${broken.deviation} (${name})`; // prettier-ignore
    }
    return null;
  }
}
