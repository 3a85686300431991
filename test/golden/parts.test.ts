import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { engineNamed } from '../../src/engines/registry.js';
import { checkConfig } from '../../src/experiment/config/file.js';
import { objectivePlan, openExperiment } from '../../src/experiment/experiment.js';
import { Evaluator } from '../../src/objective/evaluator.js';
import { temporaryFolder } from '../support/cli.js';
import { golden, goldenAbsent, largeGolden, mnistHead, relativeDeviation } from '../support/golden.js';
import { npzFile } from '../support/npz.js';

/** Of the gradient's largest component; biases of convolutions before batch normalisation have a gradient of zero. */
const engines = [
  { engine: 'reference', bound: 1e-7 },
  { engine: 'onnxruntime', bound: 1e-5 },
  { engine: 'native', bound: 1e-5 },
] as const;

/** The case's data in a file, in its order. */
function dataOf(folder: string, count: number): string {
  const { images, labels } = mnistHead(count);
  const path = join(folder, 'data.npz');
  const x = { data: images, shape: [count, 1, 28, 28] };
  writeFileSync(path, npzFile({ x, y: { data: labels, shape: [count] } }));
  return path;
}

/** The reference engine takes minutes for the convolutions of the residual network, ten times over. */
const slow = ['resnet on reference'];

describe.each(['mlp', 'cnn', 'resnet'] as const)('gradients by class of the golden case %s', (name) => {
  it.for(engines)('are PyTorch’s in float64 on $engine', async ({ engine, bound }, { skip }) => {
    const folder = largeGolden(name);
    if (folder === null) return skip(goldenAbsent);
    if (slow.includes(`${name} on ${engine}`)) skip('it takes minutes; the fast engines are compared');
    const available = await (await engineNamed(engine)).available();
    if (!available.ok) skip(available.reason);
    const { definition, tensors } = golden(name, folder);
    const experiment = await openExperiment(
      checkConfig(
        {
          model: join(folder, 'model.onnx'),
          data: dataOf(temporaryFolder(), definition.examples),
          chunk: definition.batchStatisticsChunk,
          batchSize: 10,
          parts: ['class'],
          keepParts: 'parameters',
          engine,
        },
        'the test',
      ),
    );
    expect(experiment.parameters.map(({ value }) => value.name)).toEqual(definition.params.map((one) => one.name)); // prettier-ignore
    const evaluator = await Evaluator.start(objectivePlan(experiment), 2);
    try {
      const { size } = experiment.layout;
      const [train] = await evaluator.evaluate(Float64Array.from(tensors['theta']!.subarray(0, size)));
      const gradients = train!.parts!.gradients!;
      expect(relativeDeviation(train!.gradient, tensors['grad0']!)).toBeLessThan(bound);
      expect(relativeDeviation(gradients, tensors['grad0_per_class']!)).toBeLessThan(bound);
    } finally {
      await evaluator.close();
    }
  });
});
