import type { OnnxModel, OpenedModel, ReadOptions } from './model.js';
import { modelOf } from './model.js';
import { openModel } from './import/file.js';
import { withDeclaredParameters } from './import/parameters/parameters.js';
import type { ExternalData } from './protobuf/tensor.js';

/**
 * Reads a model of opset 11 or later. Initialisers that are weights become parameters; constants and shapes are evaluated.
 * Throws GraphError where the file is damaged or uses what is not supported.
 */
export function readOnnx(bytes: Uint8Array, options: ReadOptions = {}): OnnxModel {
  return modelOf(openOnnx(bytes, options));
}

/** Decodes and checks a model file. Throws GraphError where it is damaged. */
export function openOnnx(bytes: Uint8Array, options: ReadOptions): OpenedModel {
  const { externalData } = options;
  const own = externalData === undefined ? options : { ...options, externalData: remembered(externalData) };
  const stored = openModel(bytes);
  const file = withDeclaredParameters(stored, own.externalData);
  return { file, isRestored: file !== stored, options: own };
}

function remembered(externalData: ExternalData): ExternalData {
  const known = new Map<string, Uint8Array>();
  return (location) => {
    const bytes = known.get(location) ?? externalData(location);
    known.set(location, bytes);
    return bytes;
  };
}
