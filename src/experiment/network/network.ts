import { UsageError } from '../../errors.js';
import type { Manifest } from '../../format/manifest.js';
import { modelNamed } from '../../models/registry.js';
import type { ModelWeights } from '../../trajectory/types.js';
import type { Model } from '../../models/types.js';
import { isModelFile } from '../paths.js';
import type { Network, NetworkFile, NetworkOptions } from './types.js';

// Reading ONNX files takes many modules, which a built-in network does without.
const onnxFiles = () => import('./onnx-file.js');

/** The built-in network of that name, or the one of an ONNX file. Throws UsageError, DataError, GraphError. */
export async function networkFile(name: string): Promise<NetworkFile> {
  return isModelFile(name) ? (await onnxFiles()).onnxNetworkFile(name) : builtInFile(name);
}

/** The same, opened at once. */
export async function openNetwork(name: string, options: NetworkOptions = {}): Promise<Network> {
  return (await networkFile(name)).open(options);
}

function builtInFile(name: string): NetworkFile {
  return {
    inputs: null,
    open: ({ computesLoss = false } = {}) =>
      computesLoss ? Promise.reject(noLoss(name)) : Promise.resolve(builtIn(name)),
  };
}

function noLoss(name: string): UsageError {
  return new UsageError({
    given: `loss output with the built-in network ${name}, whose outputs are logits`,
    expected: 'an ONNX model whose first output is its loss',
    remedy: 'choose another loss (--loss), or another model',
  });
}

function builtIn(name: string): Network {
  const entry = modelNamed(name);
  return {
    ...entry,
    files: [],
    attachments: new Map(),
    warnings: [],
    weights: () => builtInWeights(entry.model),
  };
}

/** The parameters of a built-in network, in the order in which it declares them. */
function builtInWeights(model: Model): ModelWeights {
  const transform = { dtype: 'float32', divisor: 1, mean: [], std: [] } as const;
  const { parameters } = model.build({ examples: 1, training: false, transform });
  return {
    declared: 'a built-in network',
    tensors: parameters.map(({ value: { name, shape } }) => ({
      name,
      shape,
      verdict: 'trained' as const,
      anonymous: false,
      data: () => null,
    })),
  };
}

/** The network of a stored run, from the bytes that the run folder keeps; `open` throws DataError where they were changed. */
export async function storedNetworkFile(folder: string, manifest: Manifest): Promise<NetworkFile> {
  const { modelFiles, model } = manifest.definition;
  return modelFiles.length > 0 ? (await onnxFiles()).keptNetworkFile(folder, manifest) : networkFile(model);
}
