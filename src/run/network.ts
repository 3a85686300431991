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
  type OnnxSummary,
} from '../graph/onnx/index.js';
import { importedModel } from '../models/imported.js';
import { modelNamed } from '../models/registry.js';
import type { Model } from '../models/types.js';
import type { Manifest } from '../store/manifest.js';
import { isModelFile } from './paths.js';

export type { OnnxPort, OnnxSummary, OnnxTensor } from '../graph/onnx/index.js';

/** A network and where it comes from. */
export interface Network {
  readonly model: Model;
  /** Default examples of a chunk. */
  readonly chunk: number;
  /** The ONNX file and those beside it; none for a built-in network. */
  readonly files: readonly SourceFile[];
  /** Their bytes, by the paths under which a run folder keeps them. */
  readonly attachments: ReadonlyMap<string, Uint8Array>;
  /** What the author of the model may not have meant. */
  readonly warnings: readonly string[];
}

/** Where a run folder keeps the ONNX file, and the folder of those beside it. */
const keptModel = 'model.onnx';
const keptData = 'model.data';

/** Examples of a chunk of an imported network unless the user says otherwise. */
const importedChunk = 500;

/** The built-in network of that name, or the one of an ONNX file. Throws UsageError, DataError, GraphError. */
export async function openNetwork(name: string): Promise<Network> {
  if (!isModelFile(name)) return { ...modelNamed(name), files: [], attachments: new Map(), warnings: [] };
  const folder = dirname(name);
  const bytes = await readModelFile(name);
  const network = importNetwork(basename(name), bytes, (location) => join(folder, location));
  return { ...network, warnings: (await inspectNetwork(name)).warnings };
}

/** The network of a stored run, from the bytes that the run folder keeps. */
export async function reopenNetwork(folder: string, { objective }: Manifest): Promise<Network> {
  if (objective.modelFiles.length === 0) return openNetwork(objective.model);
  const bytes = await readModelFile(join(folder, keptModel));
  const network = importNetwork(objective.model, bytes, (location) => join(folder, keptData, location));
  const hashes = network.files.map((file) => file.sha256).join();
  if (hashes === objective.modelFiles.map((file) => file.sha256).join()) return network;
  throw new DataError({
    given: `${join(folder, keptModel)} with SHA-256 ${hashes}`,
    expected: objective.modelFiles.map((file) => file.sha256).join(),
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

function importNetwork(name: string, bytes: Uint8Array, pathOf: (location: string) => string): Network {
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
  const model = { ...importedModel(readOnnx(bytes, { externalData })), name };
  return {
    model,
    chunk: importedChunk,
    files: [{ name, sha256: sha256(bytes) }, ...beside],
    attachments,
    warnings: [],
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
