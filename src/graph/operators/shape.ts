import type { Application } from '../application.js';
import { inputOf, misfit } from '../application.js';
import { intAttribute, intsAttribute, resolveAxis } from '../attributes.js';
import { broadcastShapes, sameShape } from '../shapes.js';
import type { Shape } from '../types.js';
import { sizeOf } from '../types.js';
import type { Entry, TensorType } from './define.js';
import { operator } from './define.js';

type ShapeRule = (node: Application, shape: Shape) => Shape;

/** An entry whose result has its input's type and the shape that `rule` gives. */
function reshaping(name: string, attributes: readonly string[], rule: ShapeRule): Entry {
  return operator(name, [1, 1], attributes, (node): TensorType[] => {
    const { dtype, shape } = inputOf(node, 0);
    return [{ dtype, shape: rule(node, shape) }];
  });
}

function reshape(node: Application, shape: Shape): Shape {
  const target = intsAttribute(node, 'shape');
  if (target.some((extent) => extent < 0) || sizeOf(target) !== sizeOf(shape)) {
    throw misfit(node, `a shape of ${sizeOf(shape)} elements, with neither -1 nor a copied 0`);
  }
  return target;
}

function flatten(node: Application, shape: Shape): Shape {
  const given = intAttribute(node, 'axis', 1);
  const axis = given < 0 ? given + shape.length : given;
  if (axis < 0 || axis > shape.length) throw misfit(node, `an axis in [-${shape.length}, ${shape.length}]`);
  return [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))];
}

function transpose(node: Application, shape: Shape): Shape {
  const perm = intsAttribute(node, 'perm', [...shape.keys()].reverse());
  const sorted = [...perm].sort((a, b) => a - b);
  if (!sameShape(sorted, [...shape.keys()]))
    throw misfit(node, `perm: each of 0 to ${shape.length - 1} once`);
  return perm.map((axis) => shape[axis]!);
}

function squeeze(node: Application, shape: Shape): Shape {
  const axes =
    node.attributes.axes === undefined
      ? [...shape.keys()].filter((axis) => shape[axis] === 1)
      : intsAttribute(node, 'axes').map((axis) => resolveAxis(node, axis, shape.length));
  if (axes.some((axis) => shape[axis] !== 1)) throw misfit(node, 'axes of extent 1');
  return shape.filter((_, axis) => !axes.includes(axis));
}

function unsqueeze(node: Application, shape: Shape): Shape {
  const rank = shape.length + intsAttribute(node, 'axes').length;
  const axes = new Set(intsAttribute(node, 'axes').map((axis) => resolveAxis(node, axis, rank)));
  if (axes.size + shape.length !== rank) throw misfit(node, 'distinct axes');
  const rest = [...shape];
  return Array.from({ length: rank }, (_, axis) => (axes.has(axis) ? 1 : rest.shift()!));
}

function expand(node: Application, shape: Shape): Shape {
  const target = intsAttribute(node, 'shape');
  const result = broadcastShapes(shape, target);
  if (result === null) throw misfit(node, `a shape that broadcasts with [${target.join(', ')}]`);
  return result;
}

function tile(node: Application, shape: Shape): Shape {
  const repeats = intsAttribute(node, 'repeats');
  if (repeats.length !== shape.length || repeats.some((count) => count < 1)) {
    throw misfit(node, `repeats: ${shape.length} positive integers`);
  }
  return shape.map((extent, axis) => extent * repeats[axis]!);
}

/** Operators that change the shape, the order or the number of copies of elements. */
export const shapeOperators: readonly Entry[] = [
  reshaping('Reshape', ['shape'], reshape),
  reshaping('Flatten', ['axis'], flatten),
  reshaping('Squeeze', ['axes'], squeeze),
  reshaping('Unsqueeze', ['axes'], unsqueeze),
  reshaping('Transpose', ['perm'], transpose),
  reshaping('Expand', ['shape'], expand),
  reshaping('Tile', ['repeats'], tile),
];
