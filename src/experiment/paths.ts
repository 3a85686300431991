import { existsSync } from 'node:fs';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { datasetNames } from '../data/load.js';
import { modelNames } from '../models/registry.js';
import type { RunConfig } from './config/schema.js';

/** Keys of a configuration that name files or folders. */
type PathKey = 'model' | 'data' | 'init' | 'trajectory';
/** A configuration's paths, as the user stated them or whole. */
export type StatedPaths = Pick<RunConfig, PathKey>;

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
  };
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
  };
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
