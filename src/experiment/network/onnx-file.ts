import { statSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { readBytes, readStart, sha256 } from '../../data/files.js';
import type { SourceFile } from '../../data/types.js';
import { DataError } from '../../errors.js';
import type { Manifest } from '../../format/manifest.js';
import { readOrRefuse } from '../../formats/source.js';
import { importedModel } from '../../models/imported.js';
import {
  fileWeights,
  inspectOnnx,
  modelOf,
  onnxStartBytes,
  openOnnx,
  requireOnnxStart,
  withFoldedNames,
  type OnnxSummary,
} from '../../onnx/index.js';
import type { FoldedNames } from '../../trajectory/match/folded.js';
import type { ModelWeights } from '../../trajectory/types.js';
import type { Network, NetworkFile, NetworkOptions } from './types.js';

export type { OnnxPort, OnnxSummary, OnnxTensor } from '../../onnx/index.js';

/** Where a run folder keeps the ONNX file, and the folder of those beside it. */
export const keptModel = 'model.onnx';
const keptData = 'model.data';

/** Examples of a chunk of an imported network unless the user says otherwise. */
const importedChunk = 500;

/** The network of an ONNX file, with the files that it names beside it. Throws UsageError, DataError, GraphError. */
export async function onnxNetworkFile(name: string): Promise<NetworkFile> {
  const folder = dirname(name);
  const bytes = await readModelFile(name);
  const beside = (location: string) => readBeside(folder, location);
  const file = await readOrRefuse(name, () => modelFile(basename(name), bytes, beside));
  return { ...file, open: (options) => readOrRefuse(name, () => file.open(options)) };
}

/** The one that a run folder keeps; `open` throws DataError where its files were changed. */
export async function keptNetworkFile(
  folder: string,
  { definition, parameters }: Manifest,
): Promise<NetworkFile> {
  const bytes = await readModelFile(join(folder, keptModel));
  const names = new Set(parameters.map(({ name }) => name));
  const beside = (location: string) => readBeside(join(folder, keptData), location);
  const file = modelFile(definition.model, bytes, beside);
  const open = async (options: NetworkOptions = {}): Promise<Network> => {
    const foldedNames = (weights: ModelWeights) => Promise.resolve(storedNames(weights, parameters));
    const network = await file.open({ ...options, foldedNames, trained: () => Promise.resolve(names) });
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

/**
 * What a run calls the arrays of folded layers: of its parameters those that the file has not, in its order. Null where it has none: then they
 * stayed folded.
 */
function storedNames(
  { tensors, folded = [] }: ModelWeights,
  parameters: Manifest['parameters'],
): Pick<FoldedNames, 'names'> | null {
  const own = new Set(tensors.map(({ name }) => name));
  const foreign = parameters.map(({ name }) => name).filter((name) => !own.has(name));
  if (foreign.length === 0) return null;
  let at = 0;
  return { names: folded.map(({ arrays }) => foreign.slice(at, (at += arrays.length))) };
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
  const open = async ({
    trained: trainedOf,
    foldedNames,
    ...given
  }: NetworkOptions = {}): Promise<Network> => {
    const stored = fileWeights(opened);
    const folded = stored.folded.length === 0 ? null : ((await foldedNames?.(stored)) ?? null);
    const unfolded = folded === null ? opened : withFoldedNames(opened, folded.names);
    const weights = folded === null ? stored : { ...fileWeights(unfolded), readings: folded.readings ?? [] };
    const names = await trainedOf?.(weights);
    const trained = names === undefined ? {} : { trained: (tensor: string) => names.has(tensor) };
    const network = modelOf({ ...unfolded, options: { ...unfolded.options, ...given, ...trained } });
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
