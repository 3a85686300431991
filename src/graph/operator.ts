import type { Attributes, DType, Shape, Value } from './types.js';

export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/**
 * What the graph layer knows of one operator. Gradient rules live in `autodiff/`, execution in `engines/`; a contract
 * test keeps that each operator has all three or is listed as one that has no gradient.
 */
export interface Operator {
  /** Smallest and largest number of inputs, trailing optional ones included. */
  readonly arity: readonly [min: number, max: number];
  /** Names of all attributes that it understands; any other is refused. */
  readonly attributes: readonly string[];
  /**
   * Output types from input types; throws GraphError where the inputs or attributes do not fit. `node` is the node's
   * name, for the message.
   */
  readonly infer: (
    inputs: readonly (Value | null)[],
    attributes: Attributes,
    node: string,
  ) => readonly TensorType[];
}
