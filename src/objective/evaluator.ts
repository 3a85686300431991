import type { Examples } from '../data/types.js';
import type { Graph } from '../graph/types.js';
import type { MeasuredSplit } from '../ledger/types.js';
import { addInto } from '../num/sums.js';
import type { L2Term } from '../optim/l2.js';
import type { Evaluation } from '../quadrature/types.js';
import { chunkSizes, chunksOf, lanesOf, type Lane } from './chunks.js';
import type { LaneTask, Slot } from './messages.js';
import { WorkerPool } from './pool.js';

/** What the objective is: fixed data, partition and network. Equal plans give bit-identical evaluations. */
export interface ObjectivePlan {
  readonly engine: string;
  /** K */
  readonly size: number;
  /** Splits to evaluate, in the order of the results. */
  readonly splits: readonly MeasuredSplit[];
  readonly examples: Readonly<Partial<Record<MeasuredSplit, Examples>>>;
  /** Examples of a chunk. */
  readonly chunk: number;
  /** Lanes of each split. */
  readonly lanes: number;
  /** What the sum over a split's examples is divided by; default their number. */
  readonly divisors?: Readonly<Partial<Record<MeasuredSplit, number>>>;
  /** Added to each split's mean loss and gradient; default none. */
  readonly penalty?: L2Term | null;
  /** Loss-and-gradient graph for a chunk of so many examples. */
  readonly gradientGraph: (examples: number) => Graph;
}

/** Evaluations that may be in flight at once: enough to keep workers busy across the end of one evaluation. */
const slotCount = 3;

interface Flight {
  readonly slot: number;
  pending: number;
  readonly resolve: (result: readonly Evaluation[]) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Evaluates mean loss and gradient of whole splits on worker threads. Sums run in an order fixed by the plan, so
 * results do not depend on the number of workers or their speed.
 */
export class Evaluator {
  readonly #plan: ObjectivePlan;
  readonly #lanes: readonly Lane[];
  readonly #slots: readonly Slot[];
  readonly #free: number[];
  readonly #waiting: (() => void)[] = [];
  readonly #flights = new Map<number, Flight>();
  #pool: WorkerPool | undefined;
  #failure: Error | undefined;
  #next = 0;

  private constructor(plan: ObjectivePlan) {
    this.#plan = plan;
    this.#lanes = planLanes(plan);
    this.#slots = Array.from({ length: slotCount }, () => makeSlot(plan.size, this.#lanes.length));
    this.#free = this.#slots.map((_, index) => index);
  }

  static async start(plan: ObjectivePlan, workers: number): Promise<Evaluator> {
    const evaluator = new Evaluator(plan);
    const graphs = new Map(chunkSizes(evaluator.#lanes).map((size) => [size, plan.gradientGraph(size)]));
    evaluator.#pool = await WorkerPool.start(
      {
        engine: plan.engine,
        graphs,
        lanes: evaluator.#lanes,
        examples: plan.examples,
        slots: evaluator.#slots,
      },
      workers,
      { done: (task) => { evaluator.#laneDone(task); }, failed: (error) => { evaluator.#fail(error); } }, // prettier-ignore
    );
    return evaluator;
  }

  /** Mean loss (nats) and gradient [K] of each split at θ [K], in the plan's order. Calls may overlap. */
  async evaluate(theta: Float64Array): Promise<readonly Evaluation[]> {
    const slot = await this.#takeSlot();
    this.#slots[slot]!.theta.set(theta);
    const evaluation = this.#next++;
    return new Promise((resolve, reject) => {
      this.#flights.set(evaluation, { slot, pending: this.#lanes.length, resolve, reject });
      this.#lanes.forEach((_, lane) => this.#pool!.submit({ slot, evaluation, lane }));
    });
  }

  async close(): Promise<void> {
    await this.#pool?.close();
  }

  async #takeSlot(): Promise<number> {
    while (this.#failure === undefined) {
      const slot = this.#free.pop();
      if (slot !== undefined) return slot;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    throw this.#failure;
  }

  #laneDone({ evaluation }: LaneTask): void {
    const flight = this.#flights.get(evaluation);
    if (flight === undefined || --flight.pending > 0) return;
    this.#flights.delete(evaluation);
    const result = this.#plan.splits.map((split) => this.#sumLanes(split, this.#slots[flight.slot]!));
    this.#free.push(flight.slot);
    this.#waiting.shift()?.();
    flight.resolve(result);
  }

  #sumLanes(split: MeasuredSplit, slot: Slot): Evaluation {
    const gradient = new Float64Array(this.#plan.size);
    let loss = 0;
    this.#lanes.forEach((lane, index) => {
      if (lane.split !== split) return;
      loss += slot.losses[index]!;
      addInto(gradient, slot.gradients[index]!);
    });
    const divisor = this.#plan.divisors?.[split] ?? this.#plan.examples[split]!.count;
    for (let k = 0; k < gradient.length; k++) gradient[k]! /= divisor;
    const { penalty } = this.#plan;
    penalty?.addGradient(slot.theta, gradient);
    return { loss: loss / divisor + (penalty?.loss(slot.theta) ?? 0), gradient };
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const flight of this.#flights.values()) flight.reject(this.#failure);
    this.#flights.clear();
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

function planLanes({ splits, examples, chunk, lanes }: ObjectivePlan): Lane[] {
  return splits.flatMap((split) => lanesOf(split, chunksOf(examples[split]!.count, chunk), lanes));
}

/** Bytes that an evaluator of this plan shares with its workers. */
export function slotBytes(plan: ObjectivePlan): number {
  const lanes = planLanes(plan).length;
  return slotCount * 8 * (plan.size + lanes + lanes * plan.size);
}

function makeSlot(size: number, lanes: number): Slot {
  const shared = (length: number) => new Float64Array(new SharedArrayBuffer(length * 8));
  return {
    theta: shared(size),
    losses: shared(lanes),
    gradients: Array.from({ length: lanes }, () => shared(size)),
  };
}
