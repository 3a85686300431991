import type { OnnxModel, OpenedModel, ReadOptions } from './model.js';
import { modelOf } from './model.js';
import { malformed, openModel } from './import/file.js';
import { withDeclaredParameters } from './import/parameters/parameters.js';
import { foldedLayers } from './import/recurrent/folded-layers.js';
import { withArraysNamed } from './import/recurrent/unfold.js';
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

/**
 * The model with the arrays of its folded recurrent layers (`FileWeights.folded`) as parameters, `names` [layers][arrays]. Throws GraphError where
 * the names do not fit it.
 */
export function withFoldedNames(opened: OpenedModel, names: readonly (readonly string[])[]): OpenedModel {
  const { file, options } = opened;
  const layers = foldedLayers(file, options.externalData);
  const all = names.flat();
  const fits =
    layers.length === names.length && layers.every(({ arrays }, k) => arrays.length === names[k]!.length);
  const taken = new Set([
    ...file.inputs.map(({ name }) => name),
    ...file.nodes.flatMap(({ output }) => output),
    ...file.initializers.keys(),
  ]);
  if (!fits || new Set(all).size < all.length || all.some((name) => taken.has(name)))
    throw malformed(
      `${layers.length} folded recurrent layers, whose arrays are to be called ${all.join(', ')}`,
      'a new name for each array of each of them',
      'restore the model file',
    );
  return { ...opened, file: withArraysNamed(file, layers, names), isRestored: true };
}

function remembered(externalData: ExternalData): ExternalData {
  const known = new Map<string, Uint8Array>();
  return (location) => {
    const bytes = known.get(location) ?? externalData(location);
    known.set(location, bytes);
    return bytes;
  };
}
