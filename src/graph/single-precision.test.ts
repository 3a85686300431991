import { describe, expect, it } from 'vitest';
import { referenceEngine } from '../engines/reference/index.js';
import { GraphBuilder } from './builder.js';
import { inSinglePrecision } from './single-precision.js';

async function lossOf(rounded: boolean, numbers: readonly number[]): Promise<number> {
  const builder = new GraphBuilder('product');
  const x = builder.input('x', 'float32', [2]);
  const product = builder.apply('Mul', [x, x]);
  const loss = builder.apply('ReduceSum', [product], { axes: [0], keepdims: 0 });
  const graph = builder.build([loss]);
  const program = await referenceEngine.compile(rounded ? inSinglePrecision(graph) : graph);
  program.load(new Float64Array(0));
  return program.run({ x: Float64Array.from(numbers) });
}

describe('a graph in single precision', () => {
  it('rounds every result as float32 does', async () => {
    const numbers = [1 / 3, Math.sqrt(7)] as const;
    const [a, b] = [Math.fround(numbers[0] ** 2), Math.fround(numbers[1] ** 2)];
    expect(await lossOf(true, numbers)).toBe(Math.fround(a + b));
    expect(await lossOf(false, numbers)).toBe(numbers[0] ** 2 + numbers[1] ** 2);
  });
});
