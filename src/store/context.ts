import { join } from 'node:path';
import { StoreError } from '../errors.js';
import type { ParameterLayout } from '../ledger/types.js';
import { type ArraySpec, arraysOf } from './arrays.js';
import { readIfPresent } from './files.js';
import { decodeManifest, layoutOfManifest, type Manifest } from './manifest.js';

/** What is fixed about a run from its start. */
export interface RunContext {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly layout: ParameterLayout;
  /** All arrays, filled or not. */
  readonly arrays: readonly ArraySpec[];
}

export const manifestName = 'manifest.json';
export const journalName = 'journal';

export function contextOf(folder: string, manifest: Manifest): RunContext {
  return { folder, manifest, layout: layoutOfManifest(manifest), arrays: arraysOf(manifest) };
}

/** Reads manifest.json. Throws StoreError where the folder is not a run, or one of a newer version. */
export async function loadContext(folder: string): Promise<RunContext> {
  const path = join(folder, manifestName);
  const bytes = await readIfPresent(path);
  if (bytes === null) {
    throw new StoreError({
      given: `${folder} holds no ${manifestName}`,
      expected: 'a run folder',
      remedy: 'check the path, or make a run there with lca run',
    });
  }
  return contextOf(folder, decodeManifest(bytes, path));
}

/** The array of that name. Throws StoreError listing the names that the run has. */
export function arrayNamed({ folder, arrays }: RunContext, name: string): ArraySpec {
  const spec = arrays.find((candidate) => candidate.name === name);
  if (spec) return spec;
  throw new StoreError({
    given: `${folder} has no array ${name}`,
    expected: `one of ${arrays.map((candidate) => candidate.name).join(', ')}`,
    remedy: 'choose one of these; finer allocations are stored only where --keep asked for them',
  });
}
