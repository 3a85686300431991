import type { Application } from '../application.js';
import { inputOf, misfit } from '../application.js';
import { axisAttribute, intAttribute, intsAttribute, numberAttribute } from '../attributes.js';
import { paddingOf, slicingOf } from '../slices.js';
import type { Shape } from '../types.js';
import type { Entry, TensorType } from './define.js';
import { operator } from './define.js';

function replaceAxis(shape: Shape, axis: number, extent: number): Shape {
  return shape.map((old, k) => (k === axis ? extent : old));
}

function concat(node: Application): TensorType[] {
  const { dtype, shape } = inputOf(node, 0);
  intAttribute(node, 'axis');
  const axis = axisAttribute(node, shape.length, 0);
  const inputs = node.inputs.map((_, k) => inputOf(node, k));
  const fits = inputs.every(
    (value) =>
      value.dtype === dtype &&
      value.shape.length === shape.length &&
      value.shape.every((extent, k) => k === axis || extent === shape[k]),
  );
  if (!fits) throw misfit(node, `inputs of one type whose shapes differ on axis ${axis} only`);
  const extent = inputs.reduce((total, value) => total + value.shape[axis]!, 0);
  return [{ dtype, shape: replaceAxis(shape, axis, extent) }];
}

function split(node: Application): TensorType[] {
  const { dtype, shape } = inputOf(node, 0);
  const axis = axisAttribute(node, shape.length, 0);
  const extents = intsAttribute(node, 'split');
  const total = extents.reduce((a, b) => a + b, 0);
  if (total !== shape[axis] || extents.some((extent) => extent < 0)) {
    throw misfit(node, `split: extents that add up to ${shape[axis]!}`);
  }
  return extents.map((extent) => ({ dtype, shape: replaceAxis(shape, axis, extent) }));
}

function slice(node: Application): TensorType[] {
  return [{ dtype: inputOf(node, 0).dtype, shape: slicingOf(node).extents }];
}

function pad(node: Application): TensorType[] {
  const { dtype, shape } = inputOf(node, 0);
  numberAttribute(node, 'value', 0);
  const padding = paddingOf(node);
  const result = shape.map((extent, axis) => extent + padding[axis]![0] + padding[axis]![1]);
  if (result.some((extent) => extent < 0))
    throw misfit(node, 'negative pads that cut off no more than there is');
  return [{ dtype, shape: result }];
}

/** Operators that join, cut or surround tensors. */
export const joining: readonly Entry[] = [
  operator('Concat', [1, Infinity], ['axis'], concat),
  operator('Split', [1, 1], ['axis', 'split'], split),
  operator('Slice', [1, 1], ['starts', 'ends', 'axes', 'steps'], slice),
  operator('Pad', [1, 1], ['pads', 'value'], pad),
];
