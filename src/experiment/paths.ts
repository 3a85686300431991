import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { datasetNames } from '../data/load.js';
import { modelNames } from '../models/registry.js';
import type { RunConfig } from './config/schema.js';
import { partsEntry } from './objectives/divide.js';
import { withWholePlace } from './objectives/measured.js';

/** The configuration with whole paths, so that a run can be continued from any folder. */
export function withWholePaths(config: RunConfig): RunConfig {
  return {
    ...config,
    model: modelNames.includes(config.model) ? config.model : wholeModel(config.model),
    data: datasetNames.includes(config.data) ? config.data : wholeData(config.data),
    measure: config.measure?.map(withWholePlace) ?? null,
    parts: config.parts?.map(wholeParts) ?? null,
    init: config.init === null ? null : resolve(config.init),
    trajectory: config.trajectory === null ? null : resolve(config.trajectory),
  };
}

/** An entry of `parts` with a whole path. */
function wholeParts(entry: string): string {
  const { objective, by } = partsEntry(entry);
  return `${objective === null ? '' : `${objective}:`}${by === 'class' ? by : resolve(by)}`;
}

/** Whether a model is named by its file: `M.onnx`, or any path. */
export function isModelFile(model: string): boolean {
  return /[/\\]|\.onnx$/i.test(model);
}

function wholeModel(model: string): string {
  return isModelFile(model) ? resolve(model) : model;
}

/** One path, or two as `X,Y`; a misspelt name stays as it is. */
function wholeData(data: string): string {
  if (existsSync(data)) return resolve(data);
  const paths = data.split(',');
  if (paths.length === 2) return paths.map((path) => resolve(path)).join(',');
  return /[/\\]|\.np[yz]$/.test(data) ? resolve(data) : data;
}
