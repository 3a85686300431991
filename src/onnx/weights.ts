import type { OnnxFile } from './import/file.js';
import { nodeName } from './import/unsupported.js';
import { foldedLayers, type FoldedArray } from './import/recurrent/folded-layers.js';
import { isAnonymous, roleOfInitializer, type TrainedVerdict } from './import/parameters/roles.js';
import { layerState, type LayerState } from './import/parameters/state.js';
import { isStoredStatistic } from './import/parameters/statistics.js';
import { readersOf, usesOf } from './import/parameters/uses.js';
import type { OpenedModel } from './model.js';
import { dataTypeName } from './protobuf/dtypes.js';
import { graphDType, readTensor } from './protobuf/tensor.js';

/** A tensor of floats that a file holds: a parameter, or a constant of the network. */
export interface FileTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** What its readers suggest it is. */
  readonly verdict: TrainedVerdict;
  /** Whether an exporter made the name up. */
  readonly anonymous: boolean;
  /** Whether it is a mean or variance by which batch normalisation is measured. */
  readonly statistic: boolean;
  /** What it is of, where its name says that it is a buffer that layers move by themselves. */
  readonly state: LayerState | null;
  /** Its numbers, row-major. */
  data(): Float32Array;
}

/** A recurrent layer of PyTorch's whose arrays the exporter folded into others, without their names. */
export interface FoldedWeights {
  /** Name of the node that computes the layer. */
  readonly node: string;
  /** Names of the tensors that were made of the arrays. */
  readonly stored: readonly string[];
  /** In the order in which PyTorch declares them. */
  readonly arrays: readonly FoldedArray[];
  /** Place in the list of the layer whose outputs it reads; null: of none, or not of one alone. */
  readonly above: number | null;
}

/** The floats of a model file, before it is known which of them are trained. */
export interface FileWeights {
  /** In the order of the file, restored where the exporter folded or merged them. */
  readonly tensors: readonly FileTensor[];
  /** What shows that they stand in the order in which the author declared them; null: nothing does. */
  readonly declared: string | null;
  /** Layers whose tensors are not those that were trained until `withFoldedNames` gives these their names. */
  readonly folded: readonly FoldedWeights[];
}

/** Lists the floats of an opened model. */
export function fileWeights({ file, isRestored, options: { externalData } }: OpenedModel): FileWeights {
  const readers = readersOf(file.nodes);
  const floats = [...file.initializers.values()].filter(({ dataType }) => {
    const dtype = dataTypeName(dataType);
    return dtype !== undefined && graphDType(dtype) === 'float32';
  });
  return {
    tensors: floats.map((tensor) => ({
      name: tensor.name,
      shape: tensor.dims.map(Number),
      verdict: roleOfInitializer(tensor, readers, externalData).verdict,
      anonymous: isAnonymous(tensor.name),
      statistic: usesOf(readers, tensor.name, tensor.dims.length).some((use) =>
        isStoredStatistic(use, file.opset),
      ),
      state: layerState(tensor.name, (name) => readers.has(name)),
      data: () => Float32Array.from(readTensor(tensor, externalData).data),
    })),
    declared: isRestored ? null : declaredBy(file),
    folded: foldedLayers(file, externalData).map(({ nodes, ...layer }) => ({
      ...layer,
      node: nodeName(nodes[0]!),
    })),
  };
}

/** Exporters that list parameters as they were declared. PyTorch's newer exporter and those before 1.8 do not. */
function declaredBy({ producer, nodes }: OnnxFile): string | null {
  if (producer.startsWith('lossledger')) return producer;
  const [, major, minor] = /^pytorch (\d+)\.(\d+)/.exec(producer) ?? [];
  const version = Number(major) * 100 + Number(minor);
  const isNewer = nodes.some(({ name }) => /^node_/.test(name));
  return version >= 108 && version < 209 && !isNewer ? `exporter ${producer}` : null;
}
