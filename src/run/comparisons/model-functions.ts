import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../../data/files.js';
import { keptModel } from '../../experiment/network/onnx-file.js';
import type { Manifest } from '../../format/manifest.js';
import { functionBytes } from '../../onnx/function.js';

/** A run in a folder. */
interface StoredRun {
  readonly folder: string;
  readonly manifest: Manifest;
}

/**
 * Beginnings of the digests of what the model files of runs compute, whatever the numbers of their parameters there; '' for a network by
 * name. Undefined where one of the files is not beside its run: then only their checksums are known.
 */
export async function modelFunctions(runs: readonly StoredRun[]): Promise<readonly string[] | undefined> {
  const found = await Promise.all(runs.map(modelFunction));
  const known = found.flatMap((digest) => digest ?? []);
  return known.length < runs.length ? undefined : known;
}

async function modelFunction({ folder, manifest }: StoredRun): Promise<string | null> {
  const { definition, parameters } = manifest;
  if (definition.modelFiles.length === 0) return '';
  const bytes = await readFile(join(folder, keptModel)).catch(() => null);
  if (bytes === null) return null;
  const names = new Set(parameters.map(({ name }) => name));
  return sha256(functionBytes(bytes, names)).slice(0, 12);
}
