import { describe, expect, it } from 'vitest';
import { isLossledgerError } from '../../src/errors.js';
import { differentiate } from '../../src/autodiff/differentiate.js';
import { attachLoss } from '../../src/graph/loss.js';
import type { Graph } from '../../src/graph/types.js';
import { parameterCount, sizeOf } from '../../src/graph/types.js';
import { initialise } from '../../src/models/initialise.js';
import { extentsOf, modelNamed, modelNames } from '../../src/models/registry.js';
import { fold, key, uniform } from '../../src/num/random.js';
import type { Evaluation } from '../../src/quadrature/types.js';
import { engineNamed } from '../../src/engines/registry.js';
import type { ObjectivePlan } from '../../src/objective/plan.js';
import { Evaluator } from '../../src/objective/evaluator.js';

const transform = { dtype: 'uint8', divisor: 255, mean: [], std: [] } as const;
/** More than one vector of examples on every processor, the last one not full. */
const chunk = 20;
const count = 3 * chunk;

const native = await engineNamed('native');
const availability = await native.available();
if (!availability.ok) console.log(`skipped on native: ${availability.reason}`);

function shared<T extends Uint8Array | Int32Array>(
  type: new (buffer: SharedArrayBuffer) => T,
  numbers: T,
): T {
  const copy = new type(new SharedArrayBuffer(numbers.byteLength));
  copy.set(numbers);
  return copy;
}

interface Problem {
  readonly plan: ObjectivePlan;
  readonly theta: Float64Array;
}

/** A network on random bytes, in three lanes of one chunk each. */
function problemOf(name: string): Problem {
  const { model } = modelNamed(name);
  const gradientGraph = (examples: number): Graph =>
    differentiate(
      attachLoss(model.build({ examples, training: false, transform }), {
        loss: 'softmaxCrossEntropy',
        classAxis: model.outputShape?.length ?? 1,
      }),
    );
  const random = (label: string, length: number, below: number): number[] =>
    Array.from(uniform(fold(key(11), label), length), (u) => Math.floor(below * u));
  const { labels: each, inputsBelow } = extentsOf(model);
  const inputs = shared(
    Uint8Array,
    Uint8Array.from(random('x', count * sizeOf(model.inputShape), inputsBelow)),
  );
  const labels = shared(Int32Array, Int32Array.from(random('labels', count * each, 10)));
  const { parameters } = gradientGraph(chunk);
  const plan: ObjectivePlan = {
    engine: 'native',
    size: parameterCount(parameters),
    objectives: [
      {
        name: 'train',
        examples: { count, shape: model.inputShape, inputs, labels },
      },
    ],
    chunk,
    lanes: 3,
    gradientGraph,
  };
  return { plan, theta: Float64Array.from(initialise(parameters, key(11))) };
}

/** Why the native engine does not know a network; null where it does. */
function unknownTo({ plan }: Problem): string | null {
  try {
    native.plan(plan.gradientGraph(chunk, false));
    return null;
  } catch (error) {
    if (isLossledgerError(error)) return error.message;
    throw error;
  }
}

async function evaluate({ plan, theta }: Problem, workers: number): Promise<readonly Evaluation[]> {
  const evaluator = await Evaluator.start(plan, workers);
  try {
    return await evaluator.evaluate(theta);
  } finally {
    await evaluator.close();
  }
}

describe.skipIf(!availability.ok)('the native engine gives the same bits', () => {
  it.for(modelNames)('%s: on 1, 2 and 3 workers, and again', async (name, { skip }) => {
    const problem = problemOf(name);
    const unknown = unknownTo(problem);
    if (unknown !== null) skip(unknown);
    const [first] = await evaluate(problem, 1);
    expect(first!.gradient.some((value) => value !== 0)).toBe(true);
    for (const workers of [2, 3, 1]) {
      const [again] = await evaluate(problem, workers);
      expect(again!.loss).toBe(first!.loss);
      // Not toEqual, which takes minutes for millions of numbers.
      expect(Buffer.from(again!.gradient.buffer).equals(Buffer.from(first!.gradient.buffer))).toBe(true);
    }
  });
});
