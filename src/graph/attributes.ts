import type { Application } from './application.js';
import { misfit } from './application.js';
import type { Attribute } from './types.js';

function read<T extends Attribute>(
  node: Application,
  name: string,
  fallback: T | undefined,
  kind: string,
  fits: (value: Attribute) => boolean,
): T {
  const value = node.attributes[name] ?? fallback;
  if (value === undefined || !fits(value)) throw misfit(node, `attribute ${name}: ${kind}`);
  return value as T;
}

const isNumbers = (value: Attribute): value is readonly number[] =>
  Array.isArray(value) && value.every((entry) => typeof entry === 'number');

/** An integer attribute; required where no fallback is given. Throws GraphError where it is missing or none. */
export function intAttribute(node: Application, name: string, fallback?: number): number {
  return read(node, name, fallback, 'an integer', Number.isInteger);
}

/** A number attribute; required where no fallback is given. Throws GraphError where it is missing or none. */
export function numberAttribute(node: Application, name: string, fallback?: number): number {
  return read(node, name, fallback, 'a number', (value) => typeof value === 'number');
}

/** A list of integers; required where no fallback is given. Throws GraphError where it is missing or none. */
export function intsAttribute(
  node: Application,
  name: string,
  fallback?: readonly number[],
): readonly number[] {
  return read(
    node,
    name,
    fallback,
    'a list of integers',
    (value) => isNumbers(value) && value.every(Number.isInteger),
  );
}

/** A string attribute; required where no fallback is given. Throws GraphError where it is missing or none. */
export function stringAttribute(node: Application, name: string, fallback?: string): string {
  return read(node, name, fallback, 'a string', (value) => typeof value === 'string');
}

/**
 * `axis` counted from the front: in [0, rank). Negative axes count from the back. Throws GraphError where there is no
 * such axis.
 */
export function resolveAxis(node: Application, axis: number, rank: number): number {
  const resolved = axis < 0 ? axis + rank : axis;
  if (resolved < 0 || resolved >= rank) throw misfit(node, `an axis in [-${rank}, ${rank - 1}], not ${axis}`);
  return resolved;
}

/** Attribute `axis` of an input of this rank, in [0, rank). Throws GraphError where there is no such axis. */
export function axisAttribute(node: Application, rank: number, fallback: number): number {
  return resolveAxis(node, intAttribute(node, 'axis', fallback), rank);
}

/**
 * Attribute `axes`, each in [0, rank), ascending and distinct. Missing or empty means all of them, as in ONNX. Throws
 * GraphError where there is no such axis, or one comes twice.
 */
export function axesAttribute(node: Application, rank: number): readonly number[] {
  const given = intsAttribute(node, 'axes', []);
  if (given.length === 0) return Array.from({ length: rank }, (_, axis) => axis);
  const axes = given.map((axis) => resolveAxis(node, axis, rank));
  if (new Set(axes).size !== axes.length) throw misfit(node, 'distinct axes');
  return axes.sort((a, b) => a - b);
}
