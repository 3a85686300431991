import type { Examples } from '../data/types.js';
import { EngineError } from '../errors.js';
import type { Graph } from '../graph/types.js';
import type { Evaluated } from '../ledger/measure-range.js';
import { Spares } from '../num/spares.js';
import { addInto, meanInto } from '../num/sums.js';
import type { L2Term } from '../optim/l2.js';
import type { Evaluation } from '../quadrature/types.js';
import { chunkSizes, chunksOf, lanesOf, type Lane } from './chunks.js';
import type { LaneTask, Slot } from './messages.js';
import { WorkerPool } from './pool.js';

/** A subset of an objective's examples whose loss and gradient are kept apart. */
export interface PlannedPart {
  readonly name: string;
  readonly examples: Examples;
}

/** A named mean loss over the examples of its parts. */
export interface PlannedObjective {
  readonly name: string;
  /** One: the objective is not divided. */
  readonly parts: readonly PlannedPart[];
  /** What the sum over all examples is divided by; default their number. */
  readonly divisor?: number;
}

/** What is evaluated: fixed data, partition and network. Equal plans give bit-identical evaluations. */
export interface ObjectivePlan {
  readonly engine: string;
  /** K */
  readonly size: number;
  /** In the order of the results. */
  readonly objectives: readonly PlannedObjective[];
  /** Examples of a chunk. */
  readonly chunk: number;
  /** Lanes of each part. */
  readonly lanes: number;
  /** Added to each objective's mean loss and gradient; default none. */
  readonly penalty?: L2Term | null;
  /** Loss-and-gradient graph for a chunk of so many examples. */
  readonly gradientGraph: (examples: number) => Graph;
}

/** Evaluations that may be in flight at once: enough to keep workers busy across the end of one evaluation. */
const slotCount = 3;

interface Flight {
  readonly slot: number;
  pending: number;
  readonly resolve: (result: readonly Evaluated[]) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Evaluates mean loss and gradient of whole objectives on worker threads, part by part. Sums run in an order fixed by the plan, so
 * results do not depend on the number of workers or their speed.
 */
export class Evaluator {
  readonly #plan: ObjectivePlan;
  readonly #lanes: readonly Lane[];
  readonly #slots: readonly Slot[];
  readonly #free: number[];
  readonly #waiting: (() => void)[] = [];
  readonly #spares: Spares<Float64Array>;
  readonly #flights = new Map<number, Flight>();
  #pool: WorkerPool | undefined;
  #failure: Error | undefined;
  #next = 0;

  private constructor(plan: ObjectivePlan) {
    this.#plan = plan;
    this.#lanes = planLanes(plan);
    this.#spares = new Spares(() => new Float64Array(plan.size));
    this.#slots = Array.from({ length: slotCount }, () => makeSlot(plan.size, this.#lanes.length));
    this.#free = this.#slots.map((_, index) => index);
  }

  /** Starts at most `workers` threads: no more than find a lane to work on. Throws EngineError. */
  static async start(plan: ObjectivePlan, workers: number): Promise<Evaluator> {
    const evaluator = new Evaluator(plan);
    const graphs = new Map(chunkSizes(evaluator.#lanes).map((size) => [size, plan.gradientGraph(size)]));
    evaluator.#pool = await WorkerPool.start(
      {
        engine: plan.engine,
        graphs,
        lanes: evaluator.#lanes,
        examples: plan.objectives.flatMap(({ parts }) => parts.map(({ examples }) => examples)),
        slots: evaluator.#slots,
      },
      usefulWorkers(plan, workers),
      { done: (task) => { evaluator.#laneDone(task); }, failed: (error) => { evaluator.#fail(error); } }, // prettier-ignore
    );
    return evaluator;
  }

  /**
   * Mean loss (in its unit) and gradient [K] of each objective at θ [K], in the plan's order. Calls may overlap.
   *
   * @throws EngineError where a worker fails, or the evaluator was closed.
   */
  async evaluate(theta: Float64Array): Promise<readonly Evaluated[]> {
    const slot = await this.#takeSlot();
    this.#slots[slot]!.theta.set(theta);
    const evaluation = this.#next++;
    return new Promise((resolve, reject) => {
      this.#flights.set(evaluation, { slot, pending: this.#lanes.length, resolve, reject });
      this.#lanes.forEach((_, lane) => this.#pool!.submit({ slot, evaluation, lane }));
    });
  }

  /** Takes back results that nobody reads any more: their arrays hold later ones. */
  release(results: readonly Evaluated[]): void {
    for (const { gradient, parts } of results) {
      this.#spares.give(gradient);
      for (const part of parts ?? []) this.#spares.give(part.gradient);
    }
  }

  /** Ends the workers; evaluations that are under way are rejected. */
  async close(): Promise<void> {
    this.#fail(closed());
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
    const result = this.#sumObjectives(this.#slots[flight.slot]!);
    this.#free.push(flight.slot);
    this.#waiting.shift()?.();
    flight.resolve(result);
  }

  #sumObjectives(slot: Slot): Evaluated[] {
    let part = 0;
    return this.#plan.objectives.map(({ parts, divisor = countOf(parts) }) => {
      const sums = parts.map(() => this.#sumLanes(part++, divisor, slot));
      const whole = sums.length === 1 ? sums[0]! : this.#wholeOf(sums);
      const { penalty } = this.#plan;
      penalty?.addGradient(slot.theta, whole.gradient);
      const loss = whole.loss + (penalty?.loss(slot.theta) ?? 0);
      return sums.length === 1
        ? { loss, gradient: whole.gradient }
        : { loss, gradient: whole.gradient, parts: sums };
    });
  }

  /** A part's share of its objective's mean loss and gradient: its lanes added in order. */
  #sumLanes(part: number, divisor: number, slot: Slot): Evaluation {
    const lanes = [...this.#lanes.keys()].filter((index) => this.#lanes[index]!.part === part);
    const gradient = this.#spares.take();
    meanInto(gradient, lanes.map((index) => slot.gradients[index]!), divisor); // prettier-ignore
    return { loss: lanes.reduce((total, index) => total + slot.losses[index]!, 0) / divisor, gradient };
  }

  /** The parts added in order. */
  #wholeOf(parts: readonly Evaluation[]): Evaluation {
    const gradient = this.#spares.take();
    gradient.set(parts[0]!.gradient);
    for (const part of parts.slice(1)) addInto(gradient, part.gradient);
    return { loss: parts.reduce((total, { loss }) => total + loss, 0), gradient };
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const flight of this.#flights.values()) flight.reject(this.#failure);
    this.#flights.clear();
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

function countOf(parts: readonly PlannedPart[]): number {
  return parts.reduce((total, { examples }) => total + examples.count, 0);
}

function closed(): EngineError {
  return new EngineError({
    given: 'an evaluation by an evaluator that was closed',
    expected: 'evaluations to end before it is closed',
    remedy: 'await them first, or start another evaluator',
  });
}

function planLanes({ objectives, chunk, lanes }: ObjectivePlan): Lane[] {
  const parts = objectives.flatMap((objective) => objective.parts);
  return parts.flatMap(({ examples }, part) => lanesOf(part, chunksOf(examples.count, chunk), lanes));
}

/** Of so many workers those that can have something to do: all evaluations in flight have so many lanes. */
export function usefulWorkers(plan: ObjectivePlan, workers: number): number {
  return Math.min(workers, slotCount * planLanes(plan).length);
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
