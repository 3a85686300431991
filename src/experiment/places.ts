import { existsSync } from 'node:fs';
import { datasetNames } from '../data/load.js';
import type { SourceFile } from '../data/types.js';
import { DataError } from '../errors.js';
import type { Manifest } from '../format/manifest.js';
import type { RunConfig } from './config/schema.js';
import { withMovedPlaces } from './objectives/measured.js';

/** Where the files are now that a stored run refers to; default where they were when it was made. */
export interface Places {
  readonly data?: string | undefined;
  readonly trajectory?: string | undefined;
  /** Of objectives with files of their own: `NAME=PLACE`. */
  readonly measure?: readonly string[] | undefined;
}

/** A stored configuration with the places where its files are now. */
export function withPlaces(config: RunConfig, { data, trajectory, measure }: Places): RunConfig {
  return {
    ...config,
    ...(data === undefined ? {} : { data }),
    ...(trajectory === undefined ? {} : { trajectory }),
    ...(measure === undefined ? {} : { measure: withMovedPlaces(config.measure, measure) }),
  };
}

/** Throws DataError, naming the files and how to state their new place, where a run's own data are not there. */
export function requireData({ data }: RunConfig, { definition }: Manifest): void {
  if (datasetNames.includes(data) || existsSync(data)) return;
  const missing = data.split(',').filter((path) => !existsSync(path));
  if (missing.length > 0) throw moved('data', missing.join(', '), definition.files);
}

/** The error of files that a run needs and that are not where they were. */
export function moved(what: 'data' | 'trajectory', path: string, files: readonly SourceFile[]): DataError {
  const expected = files.map(({ name, sha256 }) => `${name} with SHA-256 ${sha256}`).join(', ');
  return new DataError({
    given: `${what} ${path}, which the run was made with and which is not there`,
    expected,
    remedy: `put it back, or say where it is now with --${what} PLACE (the same names; checksums are compared)`,
  });
}
