import { create, toBinary } from '@bufbuild/protobuf';
import type { Shape } from '../../graph/types.js';
import { dataTypeCode, type OnnxDType } from './dtypes.js';
import type { Attribute, Node, Tensor, ValueInfo } from './onnx_pb.js';
import {
  AttributeSchema,
  Attribute_Type,
  GraphSchema,
  ModelSchema,
  NodeSchema,
  TensorSchema,
  ValueInfoSchema,
} from './onnx_pb.js';

/** Name, element type and static shape of a tensor. */
export interface TensorSpec {
  readonly name: string;
  readonly dtype: OnnxDType;
  readonly shape: Shape;
}

/** An input or output of a model; axes with a name instead of an extent may have any. */
export interface PortSpec {
  readonly name: string;
  readonly dtype: OnnxDType;
  readonly shape: readonly (number | string)[];
}

/** A tensor with its data: little-endian bytes in row-major order. */
export interface InitializerSpec extends TensorSpec {
  readonly bytes: Uint8Array;
}

/** Attributes of standard operators; whether a number is written as float or int follows from its name. */
export type AttributeSpec = number | string | readonly number[] | readonly string[];

/** One node of standard ONNX; an omitted optional input is the empty string. */
export interface NodeSpec {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, AttributeSpec>>;
}

/** Everything that an ONNX file of this project holds. */
export interface ModelSpec {
  readonly name: string;
  readonly opset: number;
  readonly inputs: readonly PortSpec[];
  readonly outputs: readonly PortSpec[];
  readonly initializers: readonly InitializerSpec[];
  readonly nodes: readonly NodeSpec[];
}

/** Names of the standard operators' attributes that hold float32 numbers; all other numbers are integers. */
const floatAttributes = new Set(['alpha', 'beta', 'gamma', 'bias', 'lambd', 'epsilon', 'momentum']);

/** Version of the file format; 8 is read by every runtime of 2021 or later. */
const irVersion = 8n;

/** The bytes of an ONNX model file (Model message of the ONNX format). */
export function encodeModel(spec: ModelSpec): Uint8Array {
  const graph = create(GraphSchema, {
    name: spec.name,
    node: spec.nodes.map(encodeNode),
    initializer: spec.initializers.map(encodeTensor),
    input: spec.inputs.map(encodeValueInfo),
    output: spec.outputs.map(encodeValueInfo),
  });
  const model = create(ModelSchema, {
    irVersion,
    producerName: 'lossledger',
    graph,
    opsetImport: [{ domain: '', version: BigInt(spec.opset) }],
  });
  return toBinary(ModelSchema, model);
}

function encodeNode(node: NodeSpec): Node {
  return create(NodeSchema, {
    opType: node.op,
    name: node.name,
    input: withoutTrailing(node.inputs),
    output: [...node.outputs],
    attribute: Object.entries(node.attributes).map(([name, value]) => encodeAttribute(name, value)),
  });
}

/** Omitted inputs at the end are left out, not written as empty names, which not every runtime accepts. */
function withoutTrailing(names: readonly string[]): string[] {
  return names.slice(0, names.findLastIndex((name) => name !== '') + 1);
}

function encodeAttribute(name: string, value: AttributeSpec): Attribute {
  const isFloat = floatAttributes.has(name);
  if (typeof value === 'string') {
    return create(AttributeSchema, { name, type: Attribute_Type.STRING, s: value });
  }
  if (typeof value === 'number') {
    return isFloat
      ? create(AttributeSchema, { name, type: Attribute_Type.FLOAT, f: Math.fround(value) })
      : create(AttributeSchema, { name, type: Attribute_Type.INT, i: BigInt(value) });
  }
  if (isTexts(value)) {
    return create(AttributeSchema, { name, type: Attribute_Type.STRINGS, strings: [...value] });
  }
  return isFloat
    ? create(AttributeSchema, { name, type: Attribute_Type.FLOATS, floats: value.map(Math.fround) })
    : create(AttributeSchema, { name, type: Attribute_Type.INTS, ints: value.map(BigInt) });
}

const isTexts = (value: readonly (number | string)[]): value is readonly string[] =>
  typeof value[0] === 'string';

function encodeTensor(tensor: InitializerSpec): Tensor {
  return create(TensorSchema, {
    name: tensor.name,
    dataType: dataTypeCode(tensor.dtype),
    dims: tensor.shape.map(BigInt),
    rawData: tensor.bytes,
  });
}

function encodeValueInfo({ name, dtype, shape }: PortSpec): ValueInfo {
  const dim = shape.map((extent) =>
    typeof extent === 'string'
      ? { value: { case: 'dimParam' as const, value: extent } }
      : { value: { case: 'dimValue' as const, value: BigInt(extent) } },
  );
  return create(ValueInfoSchema, {
    name,
    type: { tensorType: { elemType: dataTypeCode(dtype), shape: { dim } } },
  });
}
