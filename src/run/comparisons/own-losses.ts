import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunDifference } from '../../analysis/comparison/comparable.js';
import { sha256 } from '../../data/files.js';
import { inputScaling } from '../../data/user/read.js';
import { keptModel } from '../../experiment/network/onnx-file.js';
import type { Manifest } from '../../format/manifest.js';
import { functionBytes } from '../../onnx/function.js';

/** A run whose loss is compared with that of others. */
interface StoredLoss {
  readonly folder: string;
  readonly manifest: Manifest;
}

/** What differs in the losses of runs that their settings do not tell: it follows from files, and was read there. */
export interface ReadDifferences {
  /** What keeps losses from being compared. */
  readonly obstacles: readonly RunDifference[];
  /** What may make them losses of different kinds, and cannot be told. */
  readonly notes: readonly RunDifference[];
}

/** Finds what differs in how the losses of runs are made: by what their networks or programs compute, and by inputs beside the first. */
export async function readDifferences(runs: readonly StoredLoss[]): Promise<ReadDifferences> {
  const manifests = runs.map(({ manifest }) => manifest);
  const obstacles = [
    difference('the network’s own loss', 'losses are averaged by different weights', manifests.map(ownLoss)),
    difference('scaling of further inputs', 'networks see different inputs', manifests.map(furtherScaling)),
  ];
  const notes = [
    difference(
      'function of the model file',
      'each network computes its own loss: where these are of different kinds, neither losses nor allocations can be compared',
      await Promise.all(runs.map(functionOf)),
    ),
    difference(
      'objective process',
      'each program computes its own loss: where these are of different kinds, neither losses nor allocations can be compared',
      manifests.map(({ config }) => JSON.stringify(config['process'] ?? null)),
    ),
  ];
  return { obstacles: obstacles.flat(), notes: notes.flat() };
}

function difference(about: string, why: string, values: readonly string[]): RunDifference[] {
  return new Set(values).size === 1 ? [] : [{ about, why, values: values.map(shortened) }];
}

/** Short enough for a line. */
const shortened = (text: string): string => (text.length <= 60 ? text : `${text.slice(0, 59)}…`);

const computesLoss = ({ config }: Manifest): boolean => config['loss'] === 'output';

/** How a loss that a network computes becomes a mean, in words. */
function ownLoss(manifest: Manifest): string {
  if (!computesLoss(manifest)) return 'none';
  return decisions(manifest, (about) => about === 'loss');
}

const furtherScaling = (manifest: Manifest): string =>
  decisions(manifest, (about) => about.startsWith(`${inputScaling} `));

function decisions({ readings }: Manifest, isMeant: (about: string) => boolean): string {
  const found = readings.filter(({ about }) => isMeant(about));
  return found.map(({ about, decision }) => `${about}: ${decision}`).join('; ') || 'none';
}

/** Digest of the function that a network computes whose loss is its own, whatever the numbers of its parameters in the file. */
async function functionOf({ folder, manifest }: StoredLoss): Promise<string> {
  const { modelFiles } = manifest.definition;
  if (!computesLoss(manifest) || modelFiles.length === 0) return 'none';
  const names = new Set(manifest.parameters.map(({ name }) => name));
  const bytes = await readFile(join(folder, keptModel)).catch(() => null);
  // Of a run in another place, the files as they are.
  if (bytes === null) return modelFiles.map(({ sha256: sum }) => sum.slice(0, 12)).join(', ');
  return sha256(functionBytes(bytes, names)).slice(0, 12);
}
