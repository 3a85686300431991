import { describe, expect, it } from 'vitest';
import { differentiate } from '../../src/autodiff/index.js';
import { NativeEngine } from '../../src/engines/native/index.js';
import { onnxruntimeEngine } from '../../src/engines/onnxruntime/index.js';
import { referenceEngine } from '../../src/engines/reference/index.js';
import type { Engine } from '../../src/engines/types.js';
import { GraphBuilder } from '../../src/graph/builder.js';
import type { Attributes } from '../../src/graph/types.js';

/** Slopes where there is no derivative (docs/OPERATORS.md). */
const corners: readonly (readonly [string, Attributes, readonly (readonly [x: number, slope: number])[]])[] =
  [
    ['Relu', {}, [[0, 0]]],
    ['Abs', {}, [[0, 0]]],
    ['LeakyRelu', { alpha: 0.25 }, [[0, 0.25]]],
    ['ThresholdedRelu', {}, [[1, 0]]],
    ['Elu', { alpha: 0.5 }, [[0, 0.5]]],
    ['Selu', { alpha: 1.5, gamma: 0.5 }, [[0, 0.75]]],
    ['HardSwish', {}, [[-3, 0], [3, 1]]],
    ['HardSigmoid', { alpha: 0.25, beta: 0.5 }, [[-2, 0], [2, 0]]],
    ['Clip', { min: -1, max: 2 }, [[-1, 1], [2, 1]]],
  ]; // prettier-ignore

/** Slopes at all points of all rows, by the gradient of Σ f(x + p) with respect to p = 0. */
async function slopes(engine: Engine): Promise<number[]> {
  const builder = new GraphBuilder('corners');
  const sums = corners.map(([op, attributes, points]) => {
    const shape = [1, points.length];
    const x = builder.input(op, 'float32', shape);
    const options = { layer: 'p', neuronAxis: null, initializer: { kind: 'zeros' } } as const;
    const p = builder.parameter(`${op}.p`, shape, options);
    const y = builder.apply(op, [builder.apply('Add', [x, p])], attributes);
    return builder.apply('ReduceSum', [y], { keepdims: 0 });
  });
  const loss = sums.reduce((total, sum) => builder.apply('Add', [total, sum]));
  const program = await engine.compile(differentiate(builder.build([loss])));
  const gradient = new Float64Array(corners.flatMap(([, , points]) => points).length);
  program.load(new Float64Array(gradient.length));
  const feeds = corners.map(([op, , points]) => [op, Float32Array.from(points, ([x]) => x)] as const);
  await program.run(Object.fromEntries(feeds), gradient);
  await program.dispose();
  return [...gradient];
}

const native = new NativeEngine();
const absence = await native.available();

describe('where an operator has no derivative, its slope is the documented one', () => {
  const expected = corners.map(([op, , points]) => [op, points.map(([, slope]) => slope)]);
  const named = (found: number[]): unknown[] =>
    corners.map(([op, , points]) => [op, found.splice(0, points.length)]);

  it.each([referenceEngine, onnxruntimeEngine('cpu')])('on $name', async (engine) => {
    expect(named(await slopes(engine))).toEqual(expected);
  });

  it.skipIf(!absence.ok)('on native', async () => {
    expect(named(await slopes(native))).toEqual(expected);
  });
});
