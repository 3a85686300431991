import { describe, expect, it } from 'vitest';
import { differentiate } from '../../src/autodiff/differentiate.js';
import type { Engine, Feeds } from '../../src/engines/types.js';
import { isLossledgerError } from '../../src/errors.js';
import { attachLoss } from '../../src/graph/loss.js';
import type { Graph } from '../../src/graph/types.js';
import { parameterCount, sizeOf } from '../../src/graph/types.js';
import { dropoutMasks } from '../../src/models/dropout.js';
import { initialise } from '../../src/models/initialise.js';
import { extentsOf, modelNamed, modelNames } from '../../src/models/registry.js';
import { fold, key, uniform } from '../../src/num/random.js';
import { engineNamed } from '../../src/engines/registry.js';
import { relativeDeviation } from '../support/golden.js';

/** Of a mini-batch; the reference engine takes seconds for one of the largest network. */
const examplesOf = (name: string): number => (name === 'allcnn' ? 1 : 2);
const transform = { dtype: 'uint8', divisor: 255, mean: [], std: [] } as const;

/** Loss and gradient of a mini-batch. */
function stepOf(name: string): Graph {
  const { model } = modelNamed(name);
  return differentiate(
    attachLoss(model.build({ examples: examplesOf(name), training: true, transform }), {
      loss: 'softmaxCrossEntropy',
      classAxis: model.outputShape?.length ?? 1,
    }),
  );
}

/** Loss and gradient of one mini-batch of random bytes, dropout included; on engines of ours the loss alone has the same bits, before and after. */
async function trainingStep(engine: Engine, name: string): Promise<{ loss: number; gradient: Float64Array }> {
  const { model } = modelNamed(name);
  const graph = stepOf(name);
  const { labels, inputsBelow } = extentsOf(model);
  const feeds: Feeds = {
    x: Uint8Array.from(
      uniform(fold(key(7), name), examplesOf(name) * sizeOf(model.inputShape)),
      (u) => inputsBelow * u,
    ),
    labels: Int32Array.from({ length: examplesOf(name) * labels }, (_, k) => (k % 2 === 0 ? 3 : 8)),
    ...dropoutMasks(model, graph.inputs, key(7), 4),
  };
  const program = await engine.compile(graph);
  program.load(Float64Array.from(initialise(graph.parameters, key(7))));
  const gradient = new Float64Array(parameterCount(graph.parameters));
  const alone = await program.run(feeds);
  const loss = await program.run(feeds, gradient);
  if (engine.name !== 'onnxruntime') expect([alone, await program.run(feeds)]).toEqual([loss, loss]);
  await program.dispose();
  return { loss, gradient };
}

/** Why an engine does not know a network; null where it does. */
function unknownTo(engine: Engine, name: string): string | null {
  try {
    engine.plan(stepOf(name));
    return null;
  } catch (error) {
    if (isLossledgerError(error)) return error.message;
    throw error;
  }
}

/** Engines in float32 that are to agree with the reference engine; native only where there is a compiler. */
const engines = ['onnxruntime', 'native'];
/** Of the same layers as another one; test/replay computes each network. */
const alike = ['fc3', 'fc4', 'fc5', 'resnet20-mnist'];
const names = modelNames.filter((name) => !alike.includes(name));
const cases = names.flatMap((name) => engines.map((engine) => ({ name, engine })));

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
    const unknown = unknownTo(tested, name);
    if (unknown !== null) skip(unknown);
    const single = await trainingStep(tested, name);
    const { loss, gradient } = await reference(name);
    expect(Math.abs(single.loss - loss)).toBeLessThan(1e-4);
    expect(relativeDeviation(single.gradient, gradient)).toBeLessThan(2e-4);
    expect(gradient.some((value) => value !== 0)).toBe(true);
  });
});
