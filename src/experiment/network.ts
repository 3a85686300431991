import { statSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readBytes, readStart, sha256 } from '../data/files.js';
import type { SourceFile } from '../data/types.js';
import { DataError } from '../errors.js';
import {
  inspectOnnx,
  onnxStartBytes,
  readOnnx,
  requireOnnxStart,
  type Evidence,
  type OnnxSummary,
  type ReadOptions,
} from '../onnx/index.js';
import { importedModel } from '../models/imported.js';
import { modelNamed } from '../models/registry.js';
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
  /** Tensors of the file that are no parameters; a trajectory may hold them too. */
  readonly otherTensors: ReadonlySet<string>;
  /** What the author of the model may not have meant. */
  readonly warnings: readonly string[];
}

/** Where a run folder keeps the ONNX file, and the folder of those beside it. */
const keptModel = 'model.onnx';
const keptData = 'model.data';

/** Examples of a chunk of an imported network unless the user says otherwise. */
const importedChunk = 500;

/**
 * The built-in network of that name, or the one of an ONNX file. `evidence` tells its parameters from its other tensors. Throws
 * UsageError, DataError, GraphError.
 */
export async function openNetwork(name: string, evidence: Evidence = {}): Promise<Network> {
  if (!isModelFile(name)) return builtIn(name);
  const folder = dirname(name);
  const bytes = await readModelFile(name);
  return importNetwork(basename(name), bytes, (location) => join(folder, location), { evidence });
}

function builtIn(name: string): Network {
  return { ...modelNamed(name), files: [], attachments: new Map(), otherTensors: new Set(), warnings: [] };
}

/** The network of a stored run, from the bytes that the run folder keeps. Throws DataError where they are not those of the manifest. */
export async function reopenNetwork(folder: string, { definition, parameters }: Manifest): Promise<Network> {
  if (definition.modelFiles.length === 0) return openNetwork(definition.model);
  const bytes = await readModelFile(join(folder, keptModel));
  const names = new Set(parameters.map(({ name }) => name));
  const pathOf = (location: string): string => join(folder, keptData, location);
  const network = importNetwork(definition.model, bytes, pathOf, { trained: (tensor) => names.has(tensor) });
  const hashes = network.files.map((file) => file.sha256).join();
  if (hashes === definition.modelFiles.map((file) => file.sha256).join()) return { ...network, warnings: [] };
  throw new DataError({
    given: `${join(folder, keptModel)} with SHA-256 ${hashes}`,
    expected: definition.modelFiles.map((file) => file.sha256).join(),
    remedy: 'restore the file from a copy; `lca verify` names all that is damaged',
  });
}

/** What is in an ONNX file, and what can be done with it; files that it names beside it are read too. */
export async function inspectNetwork(path: string): Promise<OnnxSummary> {
  const folder = dirname(path);
  const bytes = await readModelFile(path);
  return inspectOnnx(bytes, { externalData: (location) => readBeside(join(folder, location)) });
}

/** The whole file, once its first bytes are a model's: others may be large. */
async function readModelFile(path: string): Promise<Uint8Array> {
  const remedy = 'check the path; built-in networks are named without a path';
  requireOnnxStart(await readStart(path, onnxStartBytes, remedy));
  return readBytes(path, remedy);
}

function importNetwork(
  name: string,
  bytes: Uint8Array,
  pathOf: (location: string) => string,
  options: ReadOptions,
): Network {
  const attachments = new Map([[keptModel, bytes]]);
  const beside: SourceFile[] = [];
  const externalData = (location: string): Uint8Array => {
    const kept = `${keptData}/${location}`;
    const known = attachments.get(kept);
    if (known !== undefined) return known;
    const content = readBeside(pathOf(location));
    attachments.set(kept, content);
    beside.push({ name: location, sha256: sha256(content) });
    return content;
  };
  const network = readOnnx(bytes, { ...options, externalData });
  return {
    model: { ...importedModel(network), name },
    otherTensors: network.otherTensors,
    chunk: importedChunk,
    files: [{ name, sha256: sha256(bytes) }, ...beside],
    attachments,
    warnings: network.warnings,
  };
}

function readBeside(path: string): Uint8Array {
  try {
    if (statSync(path).isFile()) return readFileSync(path);
    throw new Error('not a plain file');
  } catch (cause) {
    throw new DataError(
      {
        given: `${path}, which the model names and which cannot be read`,
        expected: 'the file of external data beside the model',
        remedy: 'copy it there, or export the model as one file',
      },
      { cause },
    );
  }
}
