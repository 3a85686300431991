import type { Application } from '../application.js';
import { inputOf, misfit, optionalInput } from '../application.js';
import { broadcastShapes, sameShape } from '../shapes.js';
import type { Attributes, DType, Shape, Value } from '../types.js';

/** Element type and shape of a value. */
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

/** One row of the table of operators. */
export type Entry = readonly [name: string, operator: Operator];

/**
 * One entry of the operator table. `attributes` are all that may be given: a misspelt or unsupported one is an error, not
 * something to skip.
 */
export function operator(
  name: string,
  arity: readonly [number, number],
  attributes: readonly string[],
  infer: (node: Application) => readonly TensorType[],
): Entry {
  return [
    name,
    {
      arity,
      attributes,
      infer(inputs, given, nodeName) {
        const node = { op: name, name: nodeName, inputs, attributes: given };
        const unknown = Object.keys(given).find((key) => !attributes.includes(key));
        if (unknown !== undefined) {
          throw misfit(node, `attributes among [${attributes.join(', ')}], not ${unknown}`);
        }
        for (let k = 0; k < arity[0]; k++) inputOf(node, k);
        return infer(node);
      },
    },
  ];
}

/** The same entry for several names. */
export function operatorsOf(
  names: readonly string[],
  arity: readonly [number, number],
  attributes: readonly string[],
  infer: (node: Application) => readonly TensorType[],
): Entry[] {
  return names.map((name) => operator(name, arity, attributes, infer));
}

/** A float32 tensor of this shape. */
export function float(shape: Shape): TensorType {
  return { dtype: 'float32', shape };
}

/** Input `index`, which must be float32. Throws GraphError where it is not. */
export function floatInput(node: Application, index: number): Value {
  const value = inputOf(node, index);
  if (value.dtype !== 'float32') throw misfit(node, `float32 as input ${index}`, 'add a Cast');
  return value;
}

/** Input `index`, which must be float32 of this shape. Throws GraphError where it is not. */
export function floatInputOf(node: Application, index: number, shape: Shape): Value {
  const value = floatInput(node, index);
  if (!sameShape(value.shape, shape)) throw misfit(node, `shape [${shape.join(', ')}] as input ${index}`);
  return value;
}

/** As floatInputOf for an input that may be left out. Throws GraphError where it does not fit. */
export function checkOptional(node: Application, index: number, shape: Shape): void {
  if (optionalInput(node, index) !== null) floatInputOf(node, index, shape);
}

/** Broadcast of all inputs' shapes. Throws GraphError where they do not fit. */
export function broadcastOf(node: Application, inputs: readonly Value[]): Shape {
  const shape = broadcastShapes(...inputs.map((value) => value.shape));
  if (shape === null) throw misfit(node, 'shapes that broadcast (equal, or 1, counted from the last axis)');
  return shape;
}
