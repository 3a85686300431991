import { toyLoss, toySlopes } from 'lossledger/analysis';
import { measureTrajectory } from 'lossledger/ledger';
import { applyUpdate, createOptimizer, createUpdate } from 'lossledger/optim';
import type { Settings } from './trainer';

/** A descent of two parameters (paper Figure 1), with what each did in each step. */
export interface Descent {
  /** Places (x, y) [T + 1]. */
  readonly path: readonly (readonly [x: number, y: number])[];
  /** [T], negative helps. */
  readonly allocations: readonly (readonly [x: number, y: number])[];
  readonly loss: readonly [start: number, end: number];
  /** What all steps' accounts leave over, by Simpson's rule and by the first order. */
  readonly residual: number;
  readonly firstOrder: number;
}

const steps = 24;
const start = [-2.4, 1.6] as const;
/** Steps end where they leave the picture by so much: too large a rate goes to infinity. */
const far = 30;

/** Descends the toy surface by its whole gradient, and measures each step. */
export async function descend({ learningRate, momentum }: Omit<Settings, 'batchSize'>): Promise<Descent> {
  const tensors = [{ name: 'theta', size: 2 }];
  const optimizer = createOptimizer({ name: 'sgd', learningRate, momentum }, tensors);
  const update = createUpdate(2);
  let state = optimizer.createState();
  const theta = [Float32Array.from(start)];
  for (let t = 0; t < steps; t++) {
    const own = theta[t]!;
    if (own.some((value) => Math.abs(value) > far)) break;
    state = optimizer.step(state, own, Float64Array.from(toySlopes(own[0]!, own[1]!)), update);
    const next = new Float32Array(2);
    applyUpdate(own, update, next);
    theta.push(next);
  }
  const allocations: [number, number][] = [];
  let [residual, firstOrder] = [0, 0];
  const evaluate = ([x, y]: ArrayLike<number> & Iterable<number>) => ({
    loss: toyLoss(x!, y!),
    gradient: Float64Array.from(toySlopes(x!, y!)),
  });
  for await (const row of measureTrajectory({
    theta,
    evaluate,
    settings: { rule: 'simpson', tolerance: null },
  })) {
    const [x, y] = row.allocation;
    allocations.push([x!, y!]);
    residual += Number(row.residual);
    firstOrder += Number(row.left_residual);
  }
  const path = theta.map(([x, y]) => [x!, y!] as const);
  const ends = [path[0]!, path.at(-1)!].map(([x, y]) => toyLoss(x, y)) as [number, number];
  return { path, allocations, loss: ends, residual, firstOrder };
}
