import { engineNamed } from '../engines/registry.js';
import { EngineError } from '../errors.js';
import type { Evaluated } from '../ledger/evaluated.js';
import { Spares } from '../num/spares.js';
import { plainLoops, type VectorLoops } from '../num/vector-loops.js';
import type { Evaluation, Want } from '../quadrature/types.js';
import { firstPiecesOf, type Lane, programKinds } from './chunks.js';
import { exampleMasks } from './feeds.js';
import { type EvaluationTask, evaluationTask, type Slot } from './messages.js';
import { type Done, partsOf, piecesByCell } from './parts.js';
import { cellsOf, graphOfKind, type ObjectivePlan, planLanes } from './plan.js';
import { WorkerPool } from './pool.js';
import { makeSlot, slotsFor } from './slots.js';
import type { Threads } from './threads.js';

interface Flight {
  readonly task: EvaluationTask;
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
  readonly #firstPieces: readonly number[];
  /** Of each objective, the lanes that make up the whole. */
  readonly #wholeLanes: readonly (readonly number[])[];
  /** Of each objective, its pieces by cell. */
  readonly #pieces: readonly ReadonlyMap<number, readonly number[]>[];
  readonly #slots: readonly Slot[];
  readonly #free: number[];
  readonly #waiting: (() => void)[] = [];
  readonly #spares: Spares<Float64Array>;
  readonly #flights = new Map<number, Flight>();
  #pool: WorkerPool | undefined;
  #loops: VectorLoops = plainLoops;
  #failure: Error | undefined;
  #next = 0;

  private constructor(plan: ObjectivePlan, workers: number) {
    this.#plan = plan;
    this.#lanes = planLanes(plan);
    this.#firstPieces = firstPiecesOf(this.#lanes);
    this.#wholeLanes = plan.objectives.map((_, objective) => wholeLanesOf(this.#lanes, objective));
    this.#pieces = plan.objectives.map((_, objective) => piecesByCell(this.#lanes, objective));
    this.#spares = new Spares(() => new Float64Array(plan.size));
    const slots = slotsFor(workers, this.#lanes.length);
    this.#slots = Array.from({ length: slots }, () => makeSlot(plan, this.#lanes));
    this.#free = this.#slots.map((_, index) => index);
  }

  /**
   * Evaluates on at most `workers` threads: no more than find a lane to work on.
   *
   * @param threads Where they come from and go to; default new ones, which end when it is closed.
   * @throws EngineError where one cannot be started, or a graph cannot be compiled.
   */
  static async start(plan: ObjectivePlan, workers: number, threads?: Threads): Promise<Evaluator> {
    const evaluator = new Evaluator(plan, workers);
    const { engine, size, objectives, masks = exampleMasks, strips = [] } = plan;
    evaluator.#loops = (await (await engineNamed(engine)).loops?.()) ?? plainLoops;
    const kinds = [...programKinds(evaluator.#lanes)];
    evaluator.#pool = await WorkerPool.start(
      {
        engine,
        size,
        graphs: new Map(kinds.map(([key, kind]) => [key, graphOfKind(plan, kind)])),
        lanes: evaluator.#lanes,
        objectives: objectives.map(({ examples, division }) => ({ examples, cells: cellsOf(division) })),
        masks,
        strips,
        slots: evaluator.#slots,
      },
      usefulWorkers(plan, workers),
      { done: (evaluation) => { evaluator.#finish(evaluation); }, failed: (error) => { evaluator.#fail(error); } }, // prettier-ignore
      threads,
    );
    return evaluator;
  }

  /** Evaluations that are worked on at once; further ones wait. */
  get inFlight(): number {
    return this.#slots.length;
  }

  /**
   * Mean loss (in its unit) and gradient [K] of each objective at θ [K], in the plan's order, and of the parts of a divided one its share of
   * the loss and its slopes along the directions [K], of which there are two at most; or losses alone. Calls may overlap.
   *
   * @throws EngineError where a worker fails, or the evaluator was closed.
   */
  async evaluate(
    theta: Float64Array,
    directions: readonly Float64Array[] = [],
    want: Want = 'gradient',
  ): Promise<readonly Evaluated[]> {
    const index = await this.#takeSlot();
    // Closed since the slot was taken: nobody would end a flight that began now.
    if (this.#failure !== undefined) throw this.#failure;
    const slot = this.#slots[index]!;
    slot.theta.set(theta);
    const used = want === 'loss' ? 0 : Math.min(directions.length, slot.directions.length);
    for (let d = 0; d < used; d++) slot.directions[d]!.set(directions[d]!);
    const evaluation = this.#next++;
    const task = evaluationTask({ slot: index, evaluation, directions: used, want });
    return new Promise((resolve, reject) => {
      this.#flights.set(evaluation, { task, resolve, reject });
      this.#pool!.submit(task);
    });
  }

  /** Takes back results that nobody reads any more: their arrays hold later ones. */
  release(results: readonly Evaluated[]): void {
    for (const { gradient } of results) if (gradient.length > 0) this.#spares.give(gradient);
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

  #finish(evaluation: number): void {
    const flight = this.#flights.get(evaluation);
    if (flight === undefined) return;
    this.#flights.delete(evaluation);
    const { slot, directions, want } = flight.task;
    const result = this.#sumObjectives({ slot: this.#slots[slot]!, directions, want });
    this.#free.push(slot);
    this.#waiting.shift()?.();
    flight.resolve(result);
  }

  #sumObjectives(done: Pick<Done, 'slot' | 'directions' | 'want'>): Evaluated[] {
    const { slot, want } = done;
    const { objectives, penalty } = this.#plan;
    return objectives.map(({ examples, divisor = examples.count, division }, index) => {
      const { loss, gradient } = this.#sumLanes({ ...done, index, divisor });
      if (want === 'gradient') penalty?.addGradient(slot.theta, gradient);
      const whole = { loss: loss + (penalty?.loss(slot.theta) ?? 0), gradient };
      if (!division) return whole;
      return { ...whole, parts: partsOf(this.#plan, this.#pieces[index]!, { ...done, index, divisor }) };
    });
  }

  /** An objective's mean loss and gradient: its lanes added in order. */
  #sumLanes({ index: objective, divisor, slot, want }: Done): Evaluation {
    const own = this.#wholeLanes[objective]!;
    const gradient = want === 'loss' ? new Float64Array(0) : this.#spares.take();
    if (want === 'gradient') this.#loops.mean(gradient, own.map((index) => slot.gradients[index]!), divisor); // prettier-ignore
    const losses = own.map((index) => laneLoss(this.#lanes[index]!, this.#firstPieces[index]!, slot));
    return { loss: losses.reduce((total, loss) => total + loss, 0) / divisor, gradient };
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const flight of this.#flights.values()) flight.reject(this.#failure);
    this.#flights.clear();
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/** The lanes that make up the whole of an objective, in order. */
function wholeLanesOf(lanes: readonly Lane[], objective: number): number[] {
  return [...lanes.keys()].filter((index) => lanes[index]!.objective === objective && lanes[index]!.whole);
}

function laneLoss({ pieces, sharesForward }: Lane, first: number, { losses }: Slot): number {
  if (sharesForward) return losses[first]!;
  return losses.subarray(first, first + pieces.length).reduce((total, loss) => total + loss, 0);
}

function closed(): EngineError {
  return new EngineError({
    given: 'an evaluation by an evaluator that was closed',
    expected: 'evaluations to end before it is closed',
    remedy: 'await them first, or start another evaluator',
  });
}

/** Of so many workers those that can have something to do: all evaluations in flight have so many lanes. */
export function usefulWorkers(plan: ObjectivePlan, workers: number): number {
  const lanes = planLanes(plan).length;
  return Math.min(workers, lanes * slotsFor(workers, lanes));
}
