import { describe, expect, it } from 'vitest';
import { differentiate } from '../../src/autodiff/index.js';
import { NativeEngine } from '../../src/engines/native/index.js';
import { referenceEngine } from '../../src/engines/reference/index.js';
import type { Engine, Feeds } from '../../src/engines/types.js';
import type { Graph } from '../../src/graph/types.js';
import { parameterCount, sizeOf } from '../../src/graph/types.js';
import { residualNorm, residualNorms } from '../support/residual-norms.js';
import { randomFrom } from '../support/samples.js';

const native = new NativeEngine();
const absence = await native.available();
if (!absence.ok) console.log(`skipped on native: ${absence.reason}`);

const drawn = (count: number, seed: number): Float64Array => {
  const random = randomFrom(seed);
  return Float64Array.from({ length: count }, () => Math.fround(random() - 0.5));
};

const feedsOf = ({ inputs }: Graph): Feeds =>
  Object.fromEntries(
    inputs.map(({ name, shape }, k) => [name, Float32Array.from(drawn(sizeOf(shape), 10 + k))]),
  );

interface Evaluation {
  readonly loss: number;
  readonly gradient: Float64Array;
  /** Without a gradient. */
  readonly alone: number;
}

async function evaluate(engine: Engine, graph: Graph, theta: Float64Array): Promise<Evaluation> {
  const program = await engine.compile(graph);
  program.load(theta);
  const feeds = feedsOf(graph);
  const gradient = new Float64Array(theta.length);
  const alone = await program.run(feeds);
  const loss = await program.run(feeds, gradient);
  await program.dispose();
  return { loss, gradient, alone };
}

/** The slope of the loss along a direction, by central differences of the reference engine. */
async function slope(graph: Graph, theta: Float64Array, direction: Float64Array): Promise<number> {
  const step = 1e-5;
  const at = async (sign: number): Promise<number> => {
    const program = await referenceEngine.compile(graph);
    program.load(theta.map((value, k) => value + sign * step * direction[k]!));
    const loss = await program.run(feedsOf(graph));
    await program.dispose();
    return loss;
  };
  return ((await at(1)) - (await at(-1))) / (2 * step);
}

/** Some less than a vector of examples, some more; widths and tokens that no tile divides; one token; rows of several strips. */
const extents = [
  { examples: 3, tokens: 5, width: 7 },
  { examples: 19, tokens: 17, width: 13 },
  { examples: 19, tokens: 1, width: 9 },
  { examples: 32, tokens: 2, width: 16 },
  { examples: 17, tokens: 43, width: 72 },
];

describe.skipIf(!absence.ok)('normalisations on the native engine', () => {
  describe.each(['layer', 'rms'] as const)('%s', (norm) => {
    it.each(residualNorms)(
      '%s agree with the reference engine and finite differences',
      async (name) => {
        for (const own of extents) {
          const graph = differentiate(residualNorm(name, norm, own));
          const theta = drawn(parameterCount(graph.parameters), 1);
          const [actual, expected] = [
            await evaluate(native, graph, theta),
            await evaluate(referenceEngine, graph, theta),
          ];
          const largest = expected.gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
          const deviation = actual.gradient.reduce(
            (most, value, k) => Math.max(most, Math.abs(value - expected.gradient[k]!)),
            0,
          );
          expect(deviation / largest, JSON.stringify(own)).toBeLessThan(3e-6);
          expect(Math.abs(actual.loss - expected.loss) / largest).toBeLessThan(3e-6);
          expect(actual.alone).toBe(actual.loss);
          const direction = drawn(theta.length, 2);
          const along = actual.gradient.reduce((sum, value, k) => sum + value * direction[k]!, 0);
          const length = Math.hypot(...direction);
          const difference = along - (await slope(residualNorm(name, norm, own), theta, direction));
          expect(Math.abs(difference) / (largest * length), JSON.stringify(own)).toBeLessThan(3e-6);
        }
      },
      60_000,
    );
  });
});
