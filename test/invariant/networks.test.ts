import { describe, expect, it } from 'vitest';
import { differentiate } from '../../src/autodiff/differentiate.js';
import type { Engine, Feeds } from '../../src/engines/types.js';
import { attachLoss } from '../../src/graph/loss.js';
import { parameterCount, sizeOf } from '../../src/graph/types.js';
import { dropoutMasks } from '../../src/models/dropout.js';
import { initialise } from '../../src/models/initialise.js';
import { modelNamed, modelNames } from '../../src/models/registry.js';
import { fold, key, uniform } from '../../src/num/random.js';
import { engineNamed } from '../../src/engines/registry.js';
import { relativeDeviation } from '../support/golden.js';

const examples = 2;
const transform = { dtype: 'uint8', divisor: 255, mean: [], std: [] } as const;

/** Loss and gradient of one mini-batch of random bytes, dropout included. */
async function trainingStep(engine: Engine, name: string): Promise<{ loss: number; gradient: Float64Array }> {
  const { model } = modelNamed(name);
  const graph = differentiate(
    attachLoss(model.build({ examples, training: true, transform }), { loss: 'softmaxCrossEntropy' }),
  );
  const feeds: Feeds = {
    x: Uint8Array.from(uniform(fold(key(7), name), examples * sizeOf(model.inputShape)), (u) => 256 * u),
    labels: Int32Array.from([3, 8]),
    ...dropoutMasks(model, graph.inputs, key(7), 4),
  };
  const program = await engine.compile(graph);
  program.load(Float64Array.from(initialise(graph.parameters, key(7))));
  const gradient = new Float64Array(parameterCount(graph.parameters));
  const loss = await program.run(feeds, gradient);
  await program.dispose();
  return { loss, gradient };
}

/** Engines in float32 that are to agree with the reference engine; native only where there is a compiler. */
const engines = ['onnxruntime', 'native'];
const cases = modelNames.flatMap((name) => engines.map((engine) => ({ name, engine })));

describe('training step of each network on random data', () => {
  const exact = new Map<string, ReturnType<typeof trainingStep>>();
  const reference = async (name: string) => {
    if (!exact.has(name)) exact.set(name, trainingStep(await engineNamed('reference'), name));
    return exact.get(name)!;
  };

  it.for(cases)('$name: $engine agrees with the reference engine', async ({ name, engine }, { skip }) => {
    const tested = await engineNamed(engine);
    const availability = await tested.available();
    if (!availability.ok) skip(availability.reason);
    const single = await trainingStep(tested, name);
    const { loss, gradient } = await reference(name);
    expect(Math.abs(single.loss - loss)).toBeLessThan(1e-4);
    expect(relativeDeviation(single.gradient, gradient)).toBeLessThan(2e-4);
    expect(gradient.some((value) => value !== 0)).toBe(true);
  });
});
