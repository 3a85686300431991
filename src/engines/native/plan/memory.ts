import type { Target } from '../toolchain/target.js';
import { type Again, planAgain } from './again.js';
import type { StoredObject, Sums, Table } from './objects.js';
import type { Phase } from './schedule.js';
import { schedule } from './schedule.js';
import type { GraphSteps, Step } from './step.js';
import type { TensorPlan } from './tensors.js';
import { planTensors } from './tensors.js';

/** Large parts start at a page. */
const ALIGNMENT = 4096;
/** Bytes; memory in pages of this size costs fewer look-ups of addresses. */
export const HUGE_PAGE = 2 << 20;

/** Where the parts of a program's memory start, in bytes. */
export class MemoryLayout {
  readonly #offsets = new Map<StoredObject, number>();
  readonly masks: number;
  readonly sums: readonly Sums[];
  readonly sumsStart: number;
  readonly sumsEnd: number;
  readonly scratch: number;
  readonly derived: number;
  readonly tensors: number;
  /** Bytes to allocate: whole huge pages. */
  readonly bytes: number;
  /** Bytes that nothing may touch, where memory is guarded. */
  readonly guards: (readonly [offset: number, bytes: number])[] = [];
  #next = 0;

  constructor(
    steps: readonly Step[],
    readonly plan: TensorPlan,
    groups: number,
    vectorBytes: number,
    derived: number,
    readonly isGuarded: boolean,
  ) {
    const objects = new Set(steps.flatMap((step) => step.arguments.map((argument) => argument.object)));
    const ofKind = <K extends StoredObject['kind']>(kind: K): Extract<StoredObject, { kind: K }>[] =>
      [...objects].filter((object): object is Extract<StoredObject, { kind: K }> => object.kind === kind);
    for (const table of ofKind('table')) this.#offsets.set(table, this.#take(4 * table.length));
    this.derived = this.#take(8 * derived);
    this.sumsStart = this.#next;
    this.sums = ofKind('sums');
    for (const sums of this.sums) this.#offsets.set(sums, this.#take(8 * sums.length));
    this.sumsEnd = this.#next;
    this.masks = this.#take(groups * vectorBytes);
    this.scratch = this.#take(vectorBytes * Math.max(0, ...ofKind('scratch').map(({ vectors }) => vectors)));
    this.tensors = this.#take(vectorBytes * plan.size);
    this.bytes = Math.ceil(this.#next / HUGE_PAGE) * HUGE_PAGE;
    this.guards.push(
      ...plan.guards.map((vector) => [this.tensors + vectorBytes * vector, vectorBytes] as const),
    );
  }

  #take(bytes: number): number {
    const offset = this.#next;
    const unit = bytes > ALIGNMENT ? ALIGNMENT : 64;
    const start = Math.ceil(offset / unit) * unit;
    this.#next = Math.ceil((start + bytes) / 64) * 64;
    if (this.isGuarded) {
      this.#next += 64;
      this.guards.push([start + bytes, this.#next - start - bytes]);
    }
    return start;
  }

  offset(object: Table | Sums): number {
    return this.#offsets.get(object)!;
  }
}

/** When each step of a chunk runs, and where everything lies that it works on. */
export interface ModulePlan {
  /** Vectors of examples, the last one filled up. */
  readonly groups: number;
  readonly phases: readonly Phase[];
  readonly layout: MemoryLayout;
  /** Null where no second run differs in part. */
  readonly again: Again | null;
}

/** Plans a program: all that is known before its C is written, such as the memory that it takes. */
export function planModule(lowered: GraphSteps, target: Target, isGuarded = false): ModulePlan {
  const groups = Math.ceil(lowered.examples / target.lanes);
  const vectorBytes = 4 * target.lanes;
  const phases = schedule(lowered.steps, vectorBytes);
  const again = planAgain(lowered);
  const tensors = planTensors(phases, groups, vectorBytes, isGuarded, again?.kept);
  const all = [...lowered.loadSteps, ...lowered.steps, ...lowered.gradientSteps];
  const layout = new MemoryLayout(all, tensors, groups, vectorBytes, lowered.derived, isGuarded);
  return { groups, phases, layout, again };
}
