/** Two parameters that go down a surface, with what each step does by each of them (paper Figure 1). */
export interface ToyPath {
  /** θ at each row [T + 1] as (x, y). */
  readonly path: readonly (readonly [x: number, y: number])[];
  /** Loss at each row [T + 1]. */
  readonly loss: readonly number[];
  /** Allocation of both parameters in each segment [T]. */
  readonly allocations: readonly (readonly [x: number, y: number])[];
}

/** A narrow, bent valley: across it one parameter overshoots, along it the other goes steadily. */
export const toyLoss = (x: number, y: number): number =>
  0.5 * (y - 0.35 * x * x) ** 2 * 3 + 0.12 * (x - 2) ** 2;

const slopes = (x: number, y: number): readonly [number, number] => {
  const across = 3 * (y - 0.35 * x * x);
  return [-0.7 * x * across + 0.24 * (x - 2), across];
};

const start: readonly [number, number] = [-2.2, 0.2];
const rate = 0.42;
const steps = 16;
/** Equal parts of a step over which Simpson's rule integrates. */
const parts = 16;

/** Allocations of one straight step by Simpson's rule: step ∘ mean slope along it. */
function allocate(from: readonly [number, number], to: readonly [number, number]): readonly [number, number] {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  let [a, b] = [0, 0];
  for (let j = 0; j <= parts; j++) {
    const weight = (j === 0 || j === parts ? 1 : j % 2 === 1 ? 4 : 2) / (3 * parts);
    const [gx, gy] = slopes(from[0] + (dx * j) / parts, from[1] + (dy * j) / parts);
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
    const [gx, gy] = slopes(x, y);
    path.push([x - rate * gx, y - rate * gy]);
  }
  return {
    path,
    loss: path.map(([x, y]) => toyLoss(x, y)),
    allocations: path.slice(1).map((to, t) => allocate(path[t]!, to)),
  };
}
