import { isLossledgerError } from '../errors.js';
import { sizeOf } from '../graph/types.js';
import { dataTypeName } from './protobuf/dtypes.js';
import type { OnnxFile } from './import/file.js';
import { trainedInitializers } from './import/parameters/trained.js';
import { translations } from './import/operators/translations.js';
import { foldable } from './import/fold.js';
import { controlFlow } from './import/translate.js';
import { describeNode, nodeName, remedyFor } from './import/unsupported.js';
import type { ValueInfo } from './protobuf/onnx_pb.js';
import { modelOf, type OpenedModel, type ReadOptions } from './model.js';
import { openOnnx } from './read.js';
import { warningsOf } from './warnings.js';

/** An input or output as the file declares it; `?` or a name stands for an open extent. */
export interface OnnxPort {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly (number | string)[];
}

/** An initialiser. */
export interface OnnxTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly trained: boolean;
  /** Of trained tensors only. */
  readonly layer: string | null;
  readonly neuronAxis: number | null;
}

/** A node that cannot be translated, and what would help. */
export interface UnsupportedNode {
  readonly operator: string;
  readonly node: string;
  readonly remedy: string;
}

/** What is in a model file, and what can be done with it. */
export interface OnnxSummary {
  readonly name: string;
  readonly producer: string;
  readonly opset: number;
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
  /** In the order of the file; trained ones in this order make up θ. */
  readonly tensors: readonly OnnxTensor[];
  /** K: how many numbers are trained. */
  readonly parameters: number;
  /** How often each operator occurs. */
  readonly operators: Readonly<Record<string, number>>;
  readonly unsupported: readonly UnsupportedNode[];
  /** Why the model cannot be measured; null where it can. */
  readonly problem: string | null;
  /** What the author of the model may not have meant. */
  readonly warnings: readonly string[];
}

/** Describes a model file without running it. Throws GraphError only where it is not a readable ONNX model. */
export function inspectOnnx(bytes: Uint8Array, options: ReadOptions = {}): OnnxSummary {
  const opened = openOnnx(bytes, options);
  const { file } = opened;
  const tensors = tensorsOf(opened);
  const trained = tensors.filter((tensor) => tensor.trained);
  return {
    name: file.name,
    producer: file.producer,
    opset: file.opset,
    inputs: file.inputs.map(portOf),
    outputs: file.outputs.map(portOf),
    tensors,
    parameters: trained.reduce((total, { shape }) => total + sizeOf(shape), 0),
    operators: operatorsOf(file),
    unsupported: unsupportedOf(file),
    problem: problemOf(opened),
    warnings: warningsOf(
      file,
      trained.map(({ name }) => name),
    ),
  };
}

function portOf({ name, type }: ValueInfo): OnnxPort {
  const dims = type?.tensorType?.shape?.dim ?? [];
  const shape = dims.map(({ value }) =>
    value.case === 'dimValue' ? Number(value.value) : (value.value ?? '?'),
  );
  return { name, dtype: dataTypeName(type?.tensorType?.elemType ?? 0) ?? 'unknown', shape };
}

function tensorsOf({ file, options }: OpenedModel): OnnxTensor[] {
  const roles = trainedInitializers(file, options);
  return [...file.initializers.values()].map(({ name, dataType, dims }) => {
    const role = roles.get(name);
    return {
      name,
      dtype: dataTypeName(dataType) ?? 'unknown',
      shape: dims.map(Number),
      trained: role !== undefined,
      layer: role?.layer ?? null,
      neuronAxis: role?.neuronAxis ?? null,
    };
  });
}

function operatorsOf(file: OnnxFile): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { opType } of file.nodes) counts.set(opType, (counts.get(opType) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function unsupportedOf(file: OnnxFile): UnsupportedNode[] {
  return file.nodes
    .filter(({ domain, opType }) => {
      const standard = domain === '' || domain === 'ai.onnx';
      const isKnown = translations.has(opType) || foldable.has(opType) || controlFlow.includes(opType);
      return !standard || !isKnown;
    })
    .map((node) => ({
      operator: describeNode(node, file.opset),
      node: nodeName(node),
      remedy: remedyFor(node),
    }));
}

function problemOf(opened: OpenedModel): string | null {
  try {
    modelOf(opened);
    return null;
  } catch (error) {
    if (isLossledgerError(error)) return error.message;
    throw error;
  }
}
