import { existsSync } from 'node:fs';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { datasetNames } from '../data/load.js';
import { modelNames } from '../models/registry.js';
import type { RunConfig } from './config/schema.js';
import { partsEntry } from './objectives/partitions.js';
import { measuredEntry, withWholePlace } from './objectives/measured.js';

/** A configuration's paths, as the user stated them or whole. */
export type StatedPaths = Pick<
  RunConfig,
  'model' | 'data' | 'init' | 'trajectory' | 'measure' | 'parts' | 'basis'
>;

/** The configuration with whole paths, those that are not taken from `base`: a run can be continued from any folder. */
export function withWholePaths(config: RunConfig, base = '.'): RunConfig {
  const whole = (path: string): string => resolve(base, path);
  const { model, data, init, trajectory } = config;
  return {
    ...config,
    model: !modelNames.includes(model) && isModelFile(model) ? whole(model) : model,
    data: dataPaths(data, base)?.map(whole).join(',') ?? data,
    init: init === null ? null : whole(init),
    trajectory: trajectory === null ? null : whole(trajectory),
    basis: isBasisFile(config.basis) ? whole(config.basis) : config.basis,
    measure: config.measure?.map((entry) => withWholePlace(entry, base)) ?? null,
    parts: config.parts?.map((entry) => withPartsPath(entry, whole)) ?? null,
  };
}

/** Whether a basis is one of a file, not of the trajectory. */
export function isBasisFile(basis: string | null): basis is string {
  return basis !== null && !/^pca:/.test(basis);
}

/** An entry of `parts` with its file's path as `change` makes it. */
function withPartsPath(entry: string, change: (path: string) => string): string {
  const { file } = partsEntry(entry);
  return file === null ? entry : `${entry.slice(0, entry.length - file.length)}${change(file)}`;
}

/**
 * The paths as a run folder keeps them: what was stated relative is relative to the run folder, so that both can be moved together; a
 * whole path stays one. `whole` are the same paths, resolved.
 */
export function portablePaths(stated: StatedPaths, whole: StatedPaths, folder: string): StatedPaths {
  const keep = (path: string, as: string): string => (isAbsolute(as) ? path : fromFolder(folder, path));
  const keepOrNull = (path: string | null, as: string | null): string | null =>
    path === null || as === null ? null : keep(path, as);
  const isOne = whole.data === resolve(stated.data);
  const asStated = isOne ? [stated.data] : stated.data.split(',');
  const paths = isOne ? [whole.data] : whole.data.split(',');
  return {
    model: isAbsolute(whole.model) ? keep(whole.model, stated.model) : whole.model,
    data: paths.map((path, i) => (isAbsolute(path) ? keep(path, asStated[i]!) : path)).join(','),
    init: keepOrNull(whole.init, stated.init),
    trajectory: keepOrNull(whole.trajectory, stated.trajectory),
    basis: isBasisFile(whole.basis) ? keepOrNull(whole.basis, stated.basis) : whole.basis,
    measure: whole.measure?.map((entry) => keptPlace(entry, stated.measure ?? [], keep)) ?? null,
    parts:
      whole.parts?.map((entry, i) =>
        withPartsPath(entry, (path) => keep(path, partsEntry(stated.parts![i]!).file!)),
      ) ?? null,
  };
}

/** An entry of `measure` with the path of its file as a run folder keeps it. */
function keptPlace(
  entry: string,
  stated: readonly string[],
  keep: (path: string, as: string) => string,
): string {
  const { name, place } = measuredEntry(entry);
  const as = stated.map(measuredEntry).find((own) => own.name === name)?.place;
  if (place === null || !as || datasetNames.includes(place)) return entry;
  const asStated = as.split(',');
  return `${name}=${place.split(',').map((path, i) => keep(path, asStated[i]!)).join(',')}`; // prettier-ignore
}

/** A path from a folder, which begins with `./` or `../`, with `/` on every system. */
function fromFolder(folder: string, path: string): string {
  const steps = relative(resolve(folder), path);
  if (isAbsolute(steps)) return steps;
  const plain = steps.split(sep).join('/');
  return plain.startsWith('../') ? plain : `./${plain}`;
}

/** Whether a model is named by its file: `M.onnx`, or any path. */
export function isModelFile(model: string): boolean {
  return /[/\\]|\.onnx$/i.test(model);
}

/** One path, or two of `X,Y`; null for the name of a data set, also a misspelt one. */
function dataPaths(data: string, base: string): string[] | null {
  if (datasetNames.includes(data)) return null;
  if (existsSync(resolve(base, data))) return [data];
  const paths = data.split(',');
  if (paths.length === 2) return paths;
  return /[/\\]|\.np[yz]$/.test(data) ? [data] : null;
}
