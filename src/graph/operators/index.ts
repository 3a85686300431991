import type { Operator } from '../operator.js';

/** Every operator that a graph may contain, by name (docs/OPERATORS.md). */
export const operators: ReadonlyMap<string, Operator> = new Map<string, Operator>();
