import { statSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { readBytes, readStart, sha256 } from '../data/files.js';
import type { SourceFile } from '../data/types.js';
import { DataError, UsageError } from '../errors.js';
import { readOrRefuse } from '../formats/source.js';
import {
  fileWeights,
  inspectOnnx,
  modelOf,
  onnxStartBytes,
  openOnnx,
  requireOnnxStart,
  type OnnxSummary,
  type ReadOptions,
} from '../onnx/index.js';
import { importedModel } from '../models/imported.js';
import { modelNamed } from '../models/registry.js';
import type { ModelWeights } from '../trajectory/types.js';
import type { Model } from '../models/types.js';
import type { Manifest } from '../format/manifest.js';
import { isModelFile } from './paths.js';

export type { OnnxPort, OnnxSummary, OnnxTensor } from '../onnx/index.js';

/** A network and where it comes from. */
export interface Network {
  readonly model: Model;
  /** Default examples of a chunk. */
  readonly chunk: number;
  /** The ONNX file and those beside it; none for a built-in network. */
  readonly files: readonly SourceFile[];
  /** Their bytes, by the paths under which a run folder keeps them. */
  readonly attachments: ReadonlyMap<string, Uint8Array>;
  /** Its tensors, parameters or not, to compare with a recording. */
  readonly weights: () => ModelWeights;
  /** What the author of the model may not have meant. */
  readonly warnings: readonly string[];
}

/** Where a run folder keeps the ONNX file, and the folder of those beside it. */
const keptModel = 'model.onnx';
const keptData = 'model.data';

/** Examples of a chunk of an imported network unless the user says otherwise. */
const importedChunk = 500;

/** What opening a network asks: of the data, the shapes of an example; of a recording, which tensors are trained. */
export interface NetworkOptions extends Pick<ReadOptions, 'exampleShape' | 'computesLoss'> {
  /** Names of the tensors that a recording moves, among all of the file's; default what the file suggests. */
  readonly trained?: (weights: ModelWeights) => Promise<ReadonlySet<string>>;
}

/** A network whose inputs are known, before data and recording say the rest. */
export interface NetworkFile {
  /** Names of its inputs; null: a built-in network, which has one. */
  readonly inputs: readonly string[] | null;
  open(options?: NetworkOptions): Promise<Network>;
}

/** The built-in network of that name, or the one of an ONNX file. Throws UsageError, DataError, GraphError. */
export async function networkFile(name: string): Promise<NetworkFile> {
  if (!isModelFile(name)) return builtInFile(name);
  const folder = dirname(name);
  const bytes = await readModelFile(name);
  const beside = (location: string) => readBeside(folder, location);
  const file = await readOrRefuse(name, () => modelFile(basename(name), bytes, beside));
  return { ...file, open: (options) => readOrRefuse(name, () => file.open(options)) };
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
export async function storedNetworkFile(
  folder: string,
  { definition, parameters }: Manifest,
): Promise<NetworkFile> {
  if (definition.modelFiles.length === 0) return networkFile(definition.model);
  const bytes = await readModelFile(join(folder, keptModel));
  const names = new Set(parameters.map(({ name }) => name));
  const beside = (location: string) => readBeside(join(folder, keptData), location);
  const file = modelFile(definition.model, bytes, beside);
  const open = async (options: NetworkOptions = {}): Promise<Network> => {
    const network = await file.open({ ...options, trained: () => Promise.resolve(names) });
    const hashes = network.files.map(({ sha256: hash }) => hash).join();
    if (hashes === definition.modelFiles.map(({ sha256: hash }) => hash).join())
      return { ...network, warnings: [] };
    throw new DataError({
      given: `${join(folder, keptModel)} with SHA-256 ${hashes}`,
      expected: definition.modelFiles.map(({ sha256: hash }) => hash).join(),
      remedy: 'restore the file from a copy; `lca verify` names all that is damaged',
    });
  };
  return { inputs: file.inputs, open };
}

/** What is in an ONNX file, and what can be done with it; files that it names beside it are read too. */
export async function inspectNetwork(path: string): Promise<OnnxSummary> {
  const folder = dirname(path);
  const bytes = await readModelFile(path);
  return readOrRefuse(path, () =>
    inspectOnnx(bytes, { externalData: (location) => readBeside(folder, location) }),
  );
}

/** The whole file, once its first bytes are a model's: others may be large. */
async function readModelFile(path: string): Promise<Uint8Array> {
  const remedy = 'check the path; built-in networks are named without a path';
  requireOnnxStart(await readStart(path, onnxStartBytes, remedy));
  return readBytes(path, remedy);
}

function modelFile(name: string, bytes: Uint8Array, readFile: (location: string) => Uint8Array): NetworkFile {
  const attachments = new Map([[keptModel, bytes]]);
  const beside: SourceFile[] = [];
  const externalData = (location: string): Uint8Array => {
    const content = readFile(location);
    attachments.set(`${keptData}/${location}`, content);
    beside.push({ name: location, sha256: sha256(content) });
    return content;
  };
  const opened = openOnnx(bytes, { externalData });
  const open = async ({ trained: trainedOf, ...given }: NetworkOptions = {}): Promise<Network> => {
    const weights = fileWeights(opened);
    const names = await trainedOf?.(weights);
    const trained = names === undefined ? {} : { trained: (tensor: string) => names.has(tensor) };
    const network = modelOf({ ...opened, options: { ...opened.options, ...given, ...trained } });
    return {
      model: { ...importedModel(network, given.computesLoss), name },
      weights: () => weights,
      chunk: importedChunk,
      files: [{ name, sha256: sha256(bytes) }, ...beside],
      attachments,
      warnings: network.warnings,
    };
  };
  return { inputs: opened.file.inputs.map((input) => input.name), open };
}

/** A file of external data beside the model; links may not lead out of the model's folder. Throws DataError. */
function readBeside(folder: string, location: string): Uint8Array {
  const path = join(folder, location);
  try {
    if (!realpathSync(path).startsWith(realpathSync(folder) + sep))
      throw new Error('outside the model’s folder');
    if (statSync(path).isFile()) return readFileSync(path);
    throw new Error('not a plain file');
  } catch (cause) {
    throw new DataError(
      {
        given: `${path}, which the model names and which cannot be read (${cause instanceof Error ? cause.message : 'unknown'})`,
        expected: 'the file of external data beside the model, no link out of its folder',
        remedy: 'copy it there, or export the model as one file',
      },
      { cause },
    );
  }
}
