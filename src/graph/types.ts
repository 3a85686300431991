/** Element types. `float32` is the type of all parameters and activations; the reference engine widens it to float64. */
export type DType = 'float32' | 'int64' | 'int32' | 'uint8' | 'bool';

/** Extents by axis; [] is a single number. */
export type Shape = readonly number[];

/** Data of a constant: one number per element in row-major order, whatever the dtype. */
export type TensorData =
  Float64Array | Float32Array | Int32Array | BigInt64Array | Uint8Array | readonly number[];

/** One tensor of a graph. Identity is `id`; `name` is unique within its graph. */
export interface Value {
  readonly id: number;
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
}

/** ONNX attribute values. What ONNX passes as static inputs (shapes, axes, pads) is an attribute here. */
export type Attribute = number | string | readonly number[] | readonly string[];
/** Attributes of a node by name. */
export type Attributes = Readonly<Record<string, Attribute>>;

/** One application of an operator. An omitted optional input is `null`. */
export interface Node {
  /** ONNX operator name, or one of the whole gradient operators (`ConvGradWeight`, `ReluGrad`, …). */
  readonly op: string;
  /** Unique within its graph; for error messages. */
  readonly name: string;
  readonly inputs: readonly (Value | null)[];
  readonly attributes: Attributes;
  readonly outputs: readonly Value[];
}

/** How a parameter starts. Fans are those of the tensor that it initialises. */
export type Initializer =
  | { readonly kind: 'zeros' }
  | { readonly kind: 'ones' }
  /** Truncated normal (at two standard deviations) with variance 2 / fanIn, He et al. 2015. */
  | { readonly kind: 'heNormal'; readonly fanIn: number }
  /** Uniform in ± sqrt(6 / (fanIn + fanOut)), Glorot and Bengio 2010. */
  | { readonly kind: 'glorotUniform'; readonly fanIn: number; readonly fanOut: number }
  /** Given numbers, in row-major order (an imported model). */
  | { readonly kind: 'values'; readonly data: Float32Array };

/** A trainable tensor. The parameter vector θ is all of them, flattened row-major, in declared order. */
export interface Parameter {
  readonly value: Value;
  /** Layer that it belongs to, such as `fc1` for `fc1.weight`. */
  readonly layer: string;
  /** Axis that counts the layer's output neurons or channels; null where there is none. */
  readonly neuronAxis: number | null;
  readonly initializer: Initializer;
}

/** A value that is known, with its numbers. */
export interface Constant {
  readonly value: Value;
  readonly data: TensorData;
}

/**
 * A typed, statically shaped dataflow graph. Nodes are in topological order; every value is an input, a parameter, a
 * constant, or the output of exactly one node. Immutable: passes build new graphs.
 */
export interface Graph {
  readonly name: string;
  /** What is fed at each run, such as `x` and `labels`. */
  readonly inputs: readonly Value[];
  readonly parameters: readonly Parameter[];
  readonly constants: readonly Constant[];
  readonly nodes: readonly Node[];
  readonly outputs: readonly Value[];
  /** Name of the input that alone changes where a program is run again (see Program.rerun); left out: it is always run anew. */
  readonly varied?: string;
}

/** Number of elements of a shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** K: the length of the parameter vector θ. */
export function parameterCount(parameters: readonly Parameter[]): number {
  return parameters.reduce((total, parameter) => total + sizeOf(parameter.value.shape), 0);
}
