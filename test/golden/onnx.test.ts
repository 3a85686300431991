import { describe, expect, it } from 'vitest';
import { differentiate } from '../../src/autodiff/index.js';
import { onnxruntimeEngine } from '../../src/engines/onnxruntime/index.js';
import { NativeEngine } from '../../src/engines/native/index.js';
import { referenceEngine } from '../../src/engines/reference/index.js';
import type { Engine } from '../../src/engines/types.js';
import { attachLoss } from '../../src/graph/loss.js';
import { readOnnx } from '../../src/onnx/index.js';
import { importedModel } from '../../src/models/imported.js';
import type { Golden, GoldenName } from '../support/golden.js';
import { golden, goldenAbsent, goldenHere, mnistHead, relativeDeviation } from '../support/golden.js';

const transform = { dtype: 'uint8', divisor: 255, mean: [], std: [] } as const;

function graphOf({ definition, model }: Golden) {
  const options = { examples: definition.batchStatisticsChunk, training: false, transform };
  const forward = importedModel(readOnnx(model)).build(options);
  return differentiate(attachLoss(forward, { loss: 'softmaxCrossEntropy' }));
}

/** Loss and gradient at the first θ, as means over the case's examples, `repeats` times. */
async function measure(engine: Engine, given: Golden, repeats: number) {
  const { examples, batchStatisticsChunk: chunk, steps } = given.definition;
  const theta = given.tensors['theta']!;
  const size = theta.length / (steps + 1);
  const program = await engine.compile(graphOf(given));
  program.load(Float64Array.from(theta.subarray(0, size)));
  const { images, labels } = mnistHead(examples);
  const results: { loss: number; gradient: Float64Array }[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const sum = new Float64Array(size);
    let loss = 0;
    for (let start = 0; start < examples; start += chunk) {
      const x = images.subarray(784 * start, 784 * (start + chunk));
      loss += await program.run({ x, labels: labels.subarray(start, start + chunk) }, sum);
    }
    results.push({ loss: loss / examples, gradient: sum.map((part) => part / examples) });
  }
  await program.dispose();
  return results;
}

const native = new NativeEngine();
const absence = await native.available();

/** Why a case cannot be tried here; null where it can. */
function obstacle(name: GoldenName, engine?: Engine): string | null {
  if (!goldenHere(name)) return goldenAbsent;
  return engine === native && !absence.ok ? absence.reason : null;
}

/** Bounds relative to the largest component. */
const names: readonly GoldenName[] = ['mlp', 'cnn', 'resnet'];
const cases = names.flatMap((name) => [
  { name, engine: referenceEngine, bound: 1e-12, lossBound: 1e-12 },
  { name, engine: onnxruntimeEngine('cpu'), bound: 1e-5, lossBound: 1e-7 },
  { name, engine: native, bound: 1e-5, lossBound: 1e-7 },
]);

describe('an imported golden model', () => {
  it.for(names)('%s keeps names, shapes and order of its parameters', (name, { skip }) => {
    skip(obstacle(name) !== null, obstacle(name)!);
    const given = golden(name);
    const { parameters } = graphOf(given);
    expect(parameters.map(({ value }) => ({ name: value.name, shape: value.shape }))).toEqual(
      given.definition.params,
    );
  });

  it.for(cases)(
    '$name on $engine.name has the golden loss and gradient',
    async ({ name, engine, ...bounds }, { skip }) => {
      skip(obstacle(name, engine) !== null, obstacle(name, engine)!);
      const given = golden(name);
      const [{ loss, gradient }] = (await measure(engine, given, 1)) as [
        { loss: number; gradient: Float64Array },
      ];
      expect(Math.abs(loss / given.tensors['loss']![0]! - 1)).toBeLessThan(bounds.lossBound);
      expect(relativeDeviation(gradient, given.tensors['grad0']!)).toBeLessThan(bounds.bound);
    },
  );

  const inFloat32 = cases.filter(({ engine }) => engine !== referenceEngine);
  it.for(inFloat32)(
    '$name on $engine.name gives the same bits each time',
    async ({ name, engine }, { skip }) => {
      skip(obstacle(name, engine) !== null, obstacle(name, engine)!);
      const [first, ...others] = await measure(engine, golden(name), 3);
      for (const other of others) expect(other).toEqual(first);
    },
  );
});
