import { describe, expect, it } from 'vitest';
import { differentiate } from '../../autodiff/index.js';
import { GraphBuilder } from '../../graph/builder.js';
import { attachLoss } from '../../graph/loss.js';
import { checkConfig } from '../config/file.js';
import { plainLabelling, type Dataset } from '../../data/types.js';
import { modelNamed } from '../../models/registry.js';
import { divisorOf, lossOf, requireFit } from './loss.js';
import { Evaluator } from '../../objective/evaluator.js';

/** Logits of four examples of three classes, which are the parameters, so that the gradient is that of the logits. */
const logits = [0.5, -1.25, 2, 1.5, 0.25, -0.75, -2, 0.125, 0.375, 0, 3, 1];
const labels = Int32Array.of(0, 2, 1, 2);
const classWeights = [0.5, 2, 1.25];

function network() {
  const builder = new GraphBuilder('logits');
  const x = builder.input('x', 'float32', [4, 1]);
  const z = builder.parameter('z', [4, 3], { layer: 'z', neuronAxis: null, initializer: { kind: 'zeros' } });
  return builder.build([builder.apply('Add', [z, builder.apply('Mul', [x, builder.scalar(0)])])]);
}

async function evaluate(
  settings: object,
  given = labels,
  labelling = plainLabelling,
): Promise<{ loss: number; gradient: Float64Array }> {
  const config = checkConfig(settings, 'the test');
  const train = { count: 4, shape: [1], inputs: new Float32Array(4), labels: given };
  const plan = {
    engine: 'reference',
    size: 12,
    objectives: [{ name: 'train', examples: train, divisor: divisorOf(config, train, labelling) }],
    chunk: 4,
    lanes: 1,
    gradientGraph: () => differentiate(attachLoss(network(), lossOf(config, labelling))),
  } as const;
  const evaluator = await Evaluator.start(plan, 1);
  try {
    return (await evaluator.evaluate(Float64Array.from(logits)))[0]!;
  } finally {
    await evaluator.close();
  }
}

describe('softmax cross-entropy is that of PyTorch 1.13 (float64)', () => {
  // torch.nn.functional.cross_entropy(z, y, weight=w, label_smoothing=s): the loss, and the gradient of the first example.
  it.each([
    [{}, 1.8400123264788286, [-0.20579495447313892, 0.007681685081609108, 0.19811326939152982]],
    [{ classWeights, reduction: 'weightedMean' }, 1.7116553330909894, [-0.08231798178925558, 0.0030726740326436435, 0.07924530775661193]],
    [{ labelSmoothing: 0.25 }, 1.7957414931454954, [-0.16412828780647226, -0.013151648251724223, 0.17727993605819647]],
    [{ labelSmoothing: 0.25, classWeights, reduction: 'weightedMean' }, 1.6729112481046158, [-0.05902055829355973, -0.029108406538448324, 0.08812896483200808]],
  ])('%j', async (settings, loss, gradient) => {
    const found = await evaluate(settings);
    expect(found.loss).toBeCloseTo(loss, 14);
    gradient.forEach((value, k) => { expect(found.gradient[k]).toBeCloseTo(value, 14); });
  });

  // The same of labels 0, 2, -100, 2.
  it.each([
    [{ labelSmoothing: 0.25 }, 2.0499357595774033, [-0.21883771707529634, -0.017535531002298963, 0.23637324807759535]],
    [{ labelSmoothing: 0.25, classWeights, reduction: 'weightedMean' }, 2.237553077640122, [-0.0983675971559329, -0.04851401089741387, 0.1468816080533468]],
  ])('%j, where a label does not count', async (settings, loss, gradient) => {
    const found = await evaluate(settings, Int32Array.of(0, 2, 3, 2), { classAxis: 1, ignored: 3 });
    expect(found.loss).toBeCloseTo(loss, 14);
    gradient.forEach((value, k) => { expect(found.gradient[k]).toBeCloseTo(value, 14); });
    expect([...found.gradient.subarray(6, 9)].map(Math.abs)).toEqual([0, 0, 0]);
  });

  it('with reduction tokenMean divides by the number of examples', async () => {
    const { loss } = await evaluate({ classWeights });
    expect(loss).toBeCloseTo((1.7116553330909894 * (0.5 + 1.25 + 2 + 1.25)) / 4, 14);
  });
}); // prettier-ignore

describe('a label that does not count', () => {
  const dataset = { name: 'made', splits: {}, labelling: { classAxis: 1, ignored: null }, classes: 10 } as unknown as Dataset;
  const { model } = modelNamed('fc');

  it.each(['squaredError', 'sigmoidCrossEntropy'])('is refused with %s, which looks at none', (loss) => {
    const fit = (settings: object) => () => { requireFit(checkConfig({ loss, ...settings }, 'the test'), model, dataset); };
    expect(fit({ ignoreLabel: -1 })).toThrow(/ignoreLabel -1 with (squared error|sigmoid cross-entropy)/);
    expect(fit({ ignoreLabel: 'none' })).not.toThrow();
    expect(fit({})).not.toThrow();
  });
}); // prettier-ignore
