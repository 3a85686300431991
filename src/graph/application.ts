import { GraphError } from '../errors.js';
import type { Node, Value } from './types.js';

/** A node without its outputs: what shape inference, gradient rules and lowerings have in common. */
export type Application = Pick<Node, 'op' | 'name' | 'inputs' | 'attributes'>;

function describeValue(value: Value | null): string {
  return value === null ? 'nothing' : `${value.dtype} [${value.shape.join(', ')}]`;
}

/** Operator, node, inputs and attributes in one line, for messages. */
export function describeApplication(node: Application): string {
  const attributes = Object.entries(node.attributes).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  const shown = attributes.length > 0 ? ` (${attributes.join(', ')})` : '';
  return `${node.op} node ${node.name} of ${node.inputs.map(describeValue).join(', ')}${shown}`;
}

/** The error for inputs or attributes that do not fit an operator. */
export function misfit(
  node: Application,
  expected: string,
  remedy = 'check how this node is connected, and its attributes',
): GraphError {
  return new GraphError({ given: describeApplication(node), expected, remedy });
}

/** Input `index`, which must be connected. Throws GraphError where it is left out. */
export function inputOf(node: Application, index: number): Value {
  const value = node.inputs[index] ?? null;
  if (value === null) throw misfit(node, `input ${index} connected`);
  return value;
}

/** Input `index`, or null where it is left out. */
export function optionalInput(node: Application, index: number): Value | null {
  return node.inputs[index] ?? null;
}
