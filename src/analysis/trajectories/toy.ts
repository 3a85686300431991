/** Two parameters that go down a surface, with what each step does by each of them (paper Figure 1). */
export interface ToyPath {
  /** θ at each row [T + 1] as (x, y). */
  readonly path: readonly (readonly [x: number, y: number])[];
  /** Loss at each row [T + 1]. */
  readonly loss: readonly number[];
  /** Allocation of both parameters in each segment [T]. */
  readonly allocations: readonly (readonly [x: number, y: number])[];
}

/** A narrow valley that lies slightly askew: across it steps overshoot, along it they go steadily. */
export const toyLoss = (x: number, y: number): number => 1.5 * (y - 0.3 * x) ** 2 + 0.08 * (x - 2.4) ** 2;

/** Slopes of the toy loss at (x, y). */
export const toySlopes = (x: number, y: number): readonly [number, number] => {
  const across = 3 * (y - 0.3 * x);
  return [-0.3 * across + 0.16 * (x - 2.4), across];
};

const start: readonly [number, number] = [-2.4, 1.6];
const rate = 0.5;
const steps = 16;
/** Equal parts of a step over which Simpson's rule integrates. */
const parts = 16;

/** Allocations of one straight step by Simpson's rule: step ∘ mean slope along it. */
function allocate(from: readonly [number, number], to: readonly [number, number]): readonly [number, number] {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  let [a, b] = [0, 0];
  for (let j = 0; j <= parts; j++) {
    const weight = (j === 0 || j === parts ? 1 : j % 2 === 1 ? 4 : 2) / (3 * parts);
    const [gx, gy] = toySlopes(from[0] + (dx * j) / parts, from[1] + (dy * j) / parts);
    a += weight * gx;
    b += weight * gy;
  }
  return [dx * a, dy * b];
}

/** Gradient descent down the toy surface. */
export function toyPath(): ToyPath {
  const path = [start];
  for (let t = 0; t < steps; t++) {
    const [x, y] = path[t]!;
    const [gx, gy] = toySlopes(x, y);
    path.push([x - rate * gx, y - rate * gy]);
  }
  return {
    path,
    loss: path.map(([x, y]) => toyLoss(x, y)),
    allocations: path.slice(1).map((to, t) => allocate(path[t]!, to)),
  };
}
