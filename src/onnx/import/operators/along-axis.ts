import type { Value } from '../../../graph/types.js';
import { sizeOf } from '../../../graph/types.js';
import type { NodeContext } from '../context.js';

/** Picks elements along one axis: result k is element `indices[k]`. */
export function pickAlong(c: NodeContext, x: Value, axis: number, indices: readonly number[]): Value {
  const picked = c.state.builder.constant(indices, [indices.length], 'int64', 'indices');
  return c.add('Gather', [x, picked], { axis });
}

/** Mixes elements along one axis: result k is Σ_i weights[k][i] · element i. */
export function mixAlong(
  c: NodeContext,
  x: Value,
  axis: number,
  weights: readonly (readonly number[])[],
): Value {
  const extent = x.shape[axis]!;
  const [outer, inner] = [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis + 1))];
  c.spend(weights.length * extent);
  const matrix = c.state.builder.constant(weights.flat(), [weights.length, extent], 'float32', 'weights');
  const mixed = c.add('MatMul', [matrix, c.add('Reshape', [x], { shape: [outer, extent, inner] })]);
  const shape = x.shape.map((old, k) => (k === axis ? weights.length : old));
  return c.add('Reshape', [mixed], { shape });
}
