import { describe, expect, it } from 'vitest';
import { layoutOf } from './layout.js';
import { measureTrajectory, type TrajectoryInput } from './measure-trajectory.js';

/** (a³ + b³) / 3, of which Simpson's rule integrates the gradient exactly. */
const evaluate = ([a, b]: Float64Array) => ({
  loss: (a! ** 3 + b! ** 3) / 3,
  gradient: Float64Array.of(a! ** 2, b! ** 2),
});
const theta = [Float32Array.of(2, 1), Float32Array.of(1, 1.5), Float32Array.of(0, 1.5)];

async function rowsOf(input: TrajectoryInput) {
  const rows = [];
  for await (const row of measureTrajectory(input)) rows.push(row);
  return rows;
}

describe('a trajectory in memory', () => {
  it('gives each parameter what it did to the loss', async () => {
    const [first, second] = await rowsOf({ theta, evaluate });
    expect(first!.allocation[0]).toBeCloseTo((1 - 8) / 3, 14);
    expect(first!.allocation[1]).toBeCloseTo((1.5 ** 3 - 1) / 3, 14);
    expect([...first!.loss]).toEqual([3, (1 + 1.5 ** 3) / 3]);
    expect(second!.allocation[1]).toBe(0);
    expect([...second!.helping, ...second!.zero]).toEqual([1, 1]);
  });

  it('follows a layout and settings', async () => {
    const layout = layoutOf([
      { name: 'a', shape: [1], layer: 'first', neuronAxis: 0 },
      { name: 'b', shape: [1], layer: 'second', neuronAxis: null },
    ]);
    const [row] = await rowsOf({ theta, evaluate, layout, settings: { rule: 'left', tolerance: null } });
    expect([...row!.layer_sums]).toEqual([-4, 0.5]);
    expect(row!.subintervals).toBe(1);
  });

  it('refuses rows of another size, gradients of another size, and numbers that are not finite', async () => {
    const short = [theta[0]!, Float32Array.of(1)];
    await expect(rowsOf({ theta: short, evaluate })).rejects.toThrow(
      /row 1 of the trajectory with 1 parameters/,
    );
    const half = () => ({ loss: 1, gradient: Float64Array.of(1) });
    await expect(rowsOf({ theta, evaluate: half })).rejects.toThrow(/a gradient of 1 numbers/);
    const lost = () => ({ loss: NaN, gradient: Float64Array.of(1, 1) });
    await expect(rowsOf({ theta, evaluate: lost })).rejects.toMatchObject({ tag: 'numeric' });
    const steep = () => ({ loss: 1, gradient: Float64Array.of(1, NaN) });
    await expect(rowsOf({ theta, evaluate: steep })).rejects.toThrow(/no derivative where it is 0/);
  });

  it('has no segment where there is one row, or none', async () => {
    expect(await rowsOf({ theta: theta.slice(0, 1), evaluate })).toEqual([]);
    expect(await rowsOf({ theta: [], evaluate })).toEqual([]);
  });
});
