import type { Tensor } from '../../protobuf/onnx_pb.js';
import type { ExternalData } from '../../protobuf/tensor.js';
import type { OnnxFile } from '../file.js';
import { settledNames, type Candidate, type Evidence } from './evidence.js';
import { layerOf, roleOfInitializer } from './roles.js';
import { readersOf } from './uses.js';

/** An initialiser that is trained. */
export interface Trained {
  readonly layer: string;
  readonly neuronAxis: number | null;
}

/** How to tell what is trained. */
export interface TrainedOptions {
  readonly externalData?: ExternalData | undefined;
  /** What is known of the parameters, where a file leaves open what is trained. */
  readonly evidence?: Evidence | undefined;
  /** Whether an initialiser is trained; `guess` is what readers and evidence suggest. Default: the guess. */
  readonly trained?: ((name: string, guess: boolean) => boolean) | undefined;
}

interface Found extends Candidate, Trained {
  readonly dims: readonly number[];
}

function elementsOf({ dims }: Tensor): number {
  return dims.reduce((product, extent) => product * Number(extent), 1);
}

/** The initialisers that are trained, in the order of the file. */
export function trainedInitializers(file: OnnxFile, options: TrainedOptions = {}): Map<string, Trained> {
  const readers = readersOf(file.nodes);
  const all = [...file.initializers.values()].map((tensor): Found => {
    const { name, dims } = tensor;
    const role = roleOfInitializer(tensor, readers, options.externalData);
    return { ...role, name, size: elementsOf(tensor), dims: dims.map(Number), layer: layerOf(name, readers) };
  });
  const names = settledNames(all, options.evidence ?? {});
  const isTrained = options.trained ?? ((_, guess) => guess);
  return withAgreedNeurons(all.filter(({ name }) => isTrained(name, names.has(name))));
}

/** Tensors that disagree with most of their layer about its number of neurons count none. */
function withAgreedNeurons(found: readonly Found[]): Map<string, Trained> {
  const counts = new Map<string, number[]>();
  for (const { layer, dims, neuronAxis } of found) {
    if (neuronAxis !== null) counts.set(layer, [...(counts.get(layer) ?? []), dims[neuronAxis]!]);
  }
  return new Map(
    found.map(({ name, layer, dims, neuronAxis }) => {
      const agrees = neuronAxis !== null && dims[neuronAxis] === mostFrequent(counts.get(layer)!);
      return [name, { layer, neuronAxis: agrees ? neuronAxis : null }];
    }),
  );
}

/** The larger of two that are equally frequent. */
function mostFrequent(numbers: readonly number[]): number {
  const frequency = (value: number): number => numbers.filter((other) => other === value).length;
  return numbers.reduce((best, value) => {
    const difference = frequency(value) - frequency(best);
    return difference > 0 || (difference === 0 && value > best) ? value : best;
  });
}
