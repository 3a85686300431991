import { axesAttribute, axisAttribute } from '../../../graph/attributes.js';
import { aroundAxis, reducedShape, stridesOf } from '../../../graph/shapes.js';
import type { Node } from '../../../graph/types.js';
import type { Kernel, Tensor } from '../tensor.js';
import { offsetsOf, zeros } from '../tensor.js';

/** Combines each element of x into the element of the result that it belongs to. */
function reduce(x: Tensor, node: Node, start: number, combine: (sum: number, x: number) => number): Tensor {
  const axes = axesAttribute(node, x.shape.length);
  const strides = stridesOf(reducedShape(x.shape, axes, true));
  const target = offsetsOf(
    x.shape,
    strides.map((stride, axis) => (axes.includes(axis) ? 0 : stride)),
  );
  const result = zeros(node.outputs[0]!.shape);
  result.data.fill(start);
  for (let i = 0; i < target.length; i++)
    result.data[target[i]!] = combine(result.data[target[i]!]!, x.data[i]!);
  return result;
}

const sum: Kernel = ([x], node) => [reduce(x!, node, 0, (total, value) => total + value)];

const mean: Kernel = ([x], node) => {
  const total = reduce(x!, node, 0, (partial, value) => partial + value);
  const count = x!.data.length / total.data.length;
  return [{ ...total, data: total.data.map((value) => value / count) }];
};

const max: Kernel = ([x], node) => [reduce(x!, node, -Infinity, Math.max)];

type Lane = (at: (k: number) => number, extent: number) => void;

/** Calls `visit` for each line of elements along attribute `axis`; `at(k)` is the flat index of its k-th element. */
function forEachLane(x: Tensor, node: Node, visit: Lane): void {
  const axis = axisAttribute(node, x.shape.length, -1);
  const [outer, extent, inner] = aroundAxis(x.shape, axis);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) visit((k) => (o * extent + k) * inner + i, extent);
  }
}

const logSoftmax: Kernel = ([x], node) => {
  const result = zeros(x!.shape);
  forEachLane(x!, node, (at, extent) => {
    let largest = -Infinity;
    for (let k = 0; k < extent; k++) largest = Math.max(largest, x!.data[at(k)]!);
    let total = 0;
    for (let k = 0; k < extent; k++) total += Math.exp(x!.data[at(k)]! - largest);
    for (let k = 0; k < extent; k++) result.data[at(k)] = x!.data[at(k)]! - largest - Math.log(total);
  });
  return [result];
};

const softmax: Kernel = (inputs, node) => {
  const [y] = logSoftmax(inputs, node);
  return [{ shape: y!.shape, data: y!.data.map(Math.exp) }];
};

/** y · (dy - Σ dy·y) along the axis. */
const softmaxGrad: Kernel = ([dy, y], node) => {
  const result = zeros(y!.shape);
  forEachLane(y!, node, (at, extent) => {
    let total = 0;
    for (let k = 0; k < extent; k++) total += dy!.data[at(k)]! * y!.data[at(k)]!;
    for (let k = 0; k < extent; k++) result.data[at(k)] = y!.data[at(k)]! * (dy!.data[at(k)]! - total);
  });
  return [result];
};

/** dy - e^y · Σ dy along the axis. */
const logSoftmaxGrad: Kernel = ([dy, y], node) => {
  const result = zeros(y!.shape);
  forEachLane(y!, node, (at, extent) => {
    let total = 0;
    for (let k = 0; k < extent; k++) total += dy!.data[at(k)]!;
    for (let k = 0; k < extent; k++) {
      result.data[at(k)] = dy!.data[at(k)]! - Math.exp(y!.data[at(k)]!) * total;
    }
  });
  return [result];
};

export const reductions: Readonly<Record<string, Kernel>> = {
  ReduceSum: sum,
  ReduceMean: mean,
  ReduceMax: max,
  Softmax: softmax,
  LogSoftmax: logSoftmax,
  SoftmaxGrad: softmaxGrad,
  LogSoftmaxGrad: logSoftmaxGrad,
};
