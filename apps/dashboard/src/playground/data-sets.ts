import { fold, key, normal, uniform } from 'lossledger/num';

/** Points of a plane in two classes. */
export interface PlaneData {
  /** [N, 2], both coordinates about −1.2 … 1.2. */
  readonly x: Float32Array;
  /** [N], 0 or 1. */
  readonly labels: Int32Array;
}

export const pointCount = 120;

/** Where a point of a class stands, by a number 0 … 1 along the class's shape. */
const shapes: Readonly<Record<string, (along: number, label: number) => readonly [x: number, y: number]>> = {
  circle: (along, label) => ring(2 * Math.PI * along, label === 0 ? 0.3 : 1),
  moons: (along, label) => {
    const angle = Math.PI * along;
    return label === 0
      ? [0.75 * Math.cos(angle) - 0.35, 0.9 * Math.sin(angle) - 0.3]
      : [0.35 - 0.75 * Math.cos(angle), 0.3 - 0.9 * Math.sin(angle)];
  },
  corners: (along, label) => {
    const side = along < 0.5 ? 1 : -1;
    return [0.65 * side, 0.65 * (label === 0 ? side : -side)];
  },
  spirals: (along, label) => ring(2.6 * Math.PI * along + Math.PI * label, 0.1 + 0.95 * along),
};

function ring(angle: number, radius: number): readonly [number, number] {
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

/** How far points scatter about their class's shape. */
const scatter: Readonly<Record<string, number>> = { circle: 0.12, moons: 0.1, corners: 0.22, spirals: 0.03 };

export const dataSetNames: readonly string[] = Object.keys(shapes);

/** The points of a data set, the same for the same name and seed. */
export function planeData(name: string, seed: number): PlaneData {
  const own = fold(key(seed), name);
  const along = uniform(fold(own, 'along'), pointCount);
  const noise = normal(fold(own, 'noise'), 2 * pointCount);
  const x = new Float32Array(2 * pointCount);
  const labels = Int32Array.from({ length: pointCount }, (_, n) => n % 2);
  labels.forEach((label, n) => {
    const [a, b] = shapes[name]!(along[n]!, label);
    x[2 * n] = a + scatter[name]! * noise[2 * n]!;
    x[2 * n + 1] = b + scatter[name]! * noise[2 * n + 1]!;
  });
  return { x, labels };
}
