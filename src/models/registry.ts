import { UsageError } from '../errors.js';
import { sizeOf } from '../graph/types.js';
import { allCnn, lenet, vggHalf } from './convolutional.js';
import { cifarFc3, cifarFc4, cifarFc5, mnistFc } from './dense.js';
import { cifarResNet20, mnistResNet20 } from './resnet.js';
import { tinyGpt } from './tiny-gpt.js';
import type { Model } from './types.js';

export interface RegisteredModel {
  readonly model: Model;
  /**
   * Default examples of a chunk: a divisor of the paper's split sizes whose activations fit the memory of a small machine. With
   * batch normalisation it is part of the objective; the paper used 5,000 or 2,500.
   */
  readonly chunk: number;
  /** Examples of one evaluation in benchmarks. */
  readonly benchExamples: number;
}

const registered: readonly RegisteredModel[] = [
  { model: mnistFc, chunk: 2500, benchExamples: 55_000 },
  { model: cifarFc3, chunk: 2500, benchExamples: 5000 },
  { model: cifarFc4, chunk: 2500, benchExamples: 5000 },
  { model: cifarFc5, chunk: 2500, benchExamples: 5000 },
  { model: lenet, chunk: 500, benchExamples: 5000 },
  { model: cifarResNet20, chunk: 250, benchExamples: 1000 },
  { model: mnistResNet20, chunk: 250, benchExamples: 500 },
  { model: allCnn, chunk: 125, benchExamples: 250 },
  { model: vggHalf, chunk: 250, benchExamples: 2000 },
  { model: tinyGpt, chunk: 32, benchExamples: 64 },
];

/** The built-in networks by name. */
const models: ReadonlyMap<string, RegisteredModel> = new Map(
  registered.map((entry) => [entry.model.name, entry]),
);

/** Names of the built-in networks: `fc`, `fc3`, `fc4`, `fc5`, `lenet`, `resnet20`, `resnet20-mnist`, `allcnn`, `vgg`, `tiny-gpt`. */
export const modelNames: readonly string[] = [...models.keys()];

/** Labels of an example, in how many classes, and below what its inputs are that are bytes. */
export function extentsOf({ outputs, outputShape = [outputs], readsWholeNumbers = false }: Model) {
  const classes = outputShape.at(-1)!;
  return { labels: sizeOf(outputShape) / classes, classes, inputsBelow: readsWholeNumbers ? classes : 256 };
}

/** A built-in network with its defaults. Throws UsageError for an unknown name. */
export function modelNamed(name: string): RegisteredModel {
  const entry = models.get(name);
  if (entry !== undefined) return entry;
  throw new UsageError({
    given: `model ${JSON.stringify(name)}`,
    expected: `one of ${modelNames.join(', ')}`,
    remedy: 'check the spelling, or give an ONNX file',
  });
}
