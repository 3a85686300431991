import { referenceEngine } from 'lossledger/engines/reference';
import { measureTrajectory } from 'lossledger/ledger';
import { fold, key, permutation } from 'lossledger/num';
import { applyUpdate, createOptimizer, createUpdate, type OptimizerState } from 'lossledger/optim';
import { type PlaneData, planeData, pointCount } from './data-sets';
import { layout, networkGraph, startTheta } from './network';

/** What the sliders set; they may move while it trains. */
export interface Settings {
  readonly learningRate: number;
  readonly momentum: number;
  /** Points of a mini-batch, 1 … all. */
  readonly batchSize: number;
}

/** One measured step. */
export interface Step {
  /** Loss over all points before and after it, in nats. */
  readonly lossBefore: number;
  readonly loss: number;
  /** Allocations [K] by Simpson's rule; negative helps. */
  readonly allocation: Float64Array;
  /** Their sum less the change of the loss. */
  readonly residual: number;
  /** The same of the first-order account: Δθ · ∇L(θ_t). */
  readonly firstOrder: number;
}

type Program = Awaited<ReturnType<typeof referenceEngine.compile>>;

/** Trains the network on points of the plane by mini-batches, and measures each step on all points. */
export class Trainer {
  readonly data: PlaneData;
  theta: Float32Array;
  /** Allocations so far, added up [K]. */
  readonly totals = new Float64Array(layout.size);
  readonly steps: Step[] = [];
  #state: OptimizerState;
  #epoch = 0;
  #order: Uint32Array = new Uint32Array(0);
  readonly #programs = new Map<number, Program>();
  readonly #update = createUpdate(layout.size);

  constructor(
    dataSet: string,
    readonly seed: number,
  ) {
    this.data = planeData(dataSet, seed);
    this.theta = startTheta(seed);
    this.#state = createOptimizer({ name: 'sgd', learningRate: 1 }, layout.tensors).createState();
  }

  /** Takes one step and measures it. Throws NumericError where the loss is not finite any more: then only beginning anew helps. */
  async step({ learningRate, momentum, batchSize }: Settings): Promise<Step> {
    const optimizer = createOptimizer({ name: 'sgd', learningRate, momentum }, layout.tensors);
    const batch = this.#nextBatch(batchSize);
    const { gradient } = await this.#evaluate(Float64Array.from(this.theta), batch);
    this.#state = optimizer.step(this.#state, this.theta, gradient, this.#update);
    const next = new Float32Array(layout.size);
    applyUpdate(this.theta, this.#update, next);
    const step = await this.#measure(next);
    step.allocation.forEach((value, k) => { this.totals[k]! += value; }); // prettier-ignore
    this.theta = next;
    this.steps.push(step);
    return step;
  }

  async #measure(next: Float32Array): Promise<Step> {
    const rows = measureTrajectory({
      theta: [this.theta, next],
      evaluate: (theta) => this.#evaluate(theta, this.data),
      layout,
      settings: { rule: 'simpson', tolerance: null },
    });
    const measured = await rows.next();
    if (measured.done) throw new Error('one segment gives one row');
    const row = measured.value;
    const [lossBefore, loss] = row.loss as [number, number];
    return {
      lossBefore, loss, allocation: row.allocation as Float64Array, residual: Number(row.residual), firstOrder: Number(row.left_residual),
    }; // prettier-ignore
  }

  /** Mean loss and its gradient [K] over points. */
  async #evaluate(
    theta: Float64Array,
    { x, labels }: PlaneData,
  ): Promise<{ loss: number; gradient: Float64Array }> {
    const points = labels.length;
    const program = this.#programs.get(points) ?? (await referenceEngine.compile(networkGraph(points)));
    this.#programs.set(points, program);
    program.load(theta);
    const gradient = new Float64Array(layout.size);
    const loss = await program.run({ x, labels }, gradient);
    return { loss: loss / points, gradient: gradient.map((value) => value / points) };
  }

  /** The next points of this epoch's order; the next epoch begins where too few are left. */
  #nextBatch(size: number): PlaneData {
    if (this.#order.length < size)
      this.#order = permutation(fold(fold(key(this.seed), 'epoch'), this.#epoch++), pointCount);
    const chosen = this.#order.subarray(0, size);
    this.#order = this.#order.subarray(size);
    const { x, labels } = this.data;
    return {
      x: Float32Array.from({ length: 2 * size }, (_, k) => x[2 * chosen[k >> 1]! + (k & 1)]!),
      labels: Int32Array.from(chosen, (n) => labels[n]!),
    };
  }
}
