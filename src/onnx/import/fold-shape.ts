import { sizeOf } from '../../graph/types.js';
import { stridesOf } from '../../graph/shapes.js';
import type { StaticTensor } from './static-tensor.js';
import { offsetOf, staticTensor, tabulate } from './static-tensor.js';
import { axesOf, axisOf, reshapeTarget, sliceAxes } from './operators/arguments.js';
import type { NodeContext } from './context.js';
import { withInputs, type ConstantFold, type ConstantFoldTable } from './fold-elementwise.js';

function pick(
  x: StaticTensor,
  shape: readonly number[],
  source: (index: readonly number[]) => number,
): StaticTensor {
  return tabulate(x.dtype, shape, (index) => x.data[source(index)]!);
}

const gather: ConstantFold = (context, [data, indices]) => {
  const axis = axisOf(context, data!.shape.length, 0);
  const strides = stridesOf(data!.shape);
  const indexStrides = stridesOf(indices!.shape);
  const inner = indices!.shape.length;
  const shape = [...data!.shape.slice(0, axis), ...indices!.shape, ...data!.shape.slice(axis + 1)];
  return pick(data!, shape, (index) => {
    const given = indices!.data[offsetOf(index.slice(axis, axis + inner), indexStrides)]!;
    const chosen = given < 0 ? given + data!.shape[axis]! : given;
    if (!(chosen >= 0 && chosen < data!.shape[axis]!)) context.fail(`index ${given}`, 'an index inside');
    return offsetOf([...index.slice(0, axis), chosen, ...index.slice(axis + inner)], strides);
  });
};

const concat: ConstantFold = (context, inputs) => {
  const axis = axisOf(context, inputs[0]!.shape.length, 0);
  const extent = inputs.reduce((total, input) => total + input.shape[axis]!, 0);
  const shape = inputs[0]!.shape.map((old, k) => (k === axis ? extent : old));
  const strides = inputs.map((input) => stridesOf(input.shape));
  return tabulate(inputs[0]!.dtype, shape, (index) => {
    let [part, place] = [0, index[axis]!];
    while (place >= inputs[part]!.shape[axis]!) place -= inputs[part++]!.shape[axis]!;
    return inputs[part]!.data[
      offsetOf(index, strides[part]!) + (place - index[axis]!) * strides[part]![axis]!
    ]!;
  });
};

const slice: ConstantFold = (context, [x]) => {
  const axes = sliceAxes(context, x!.shape);
  const strides = stridesOf(x!.shape);
  const shape = axes.map((axis) => axis.extent);
  return pick(x!, shape, (index) =>
    offsetOf(
      index.map((k, axis) => axes[axis]!.start + k * axes[axis]!.step),
      strides,
    ),
  );
};

const transpose: ConstantFold = (context, [x]) => {
  const perm = context.attributes.ints('perm') ?? [...x!.shape.keys()].reverse();
  const strides = stridesOf(x!.shape);
  return pick(
    x!,
    perm.map((axis) => x!.shape[axis]!),
    (index) =>
      offsetOf(
        index,
        perm.map((axis) => strides[axis]!),
      ),
  );
};

function reshaped(shapeOf: (context: NodeContext, x: StaticTensor) => readonly number[]): ConstantFold {
  return (context, [x]) => {
    const shape = shapeOf(context, x!);
    if (sizeOf(shape) !== sizeOf(x!.shape))
      context.fail(`shape [${shape.join(', ')}]`, `${sizeOf(x!.shape)} elements`);
    return staticTensor(x!.dtype, shape, x!.data);
  };
}

/** Keeps what is at or on one side of a diagonal, as masks of attention are made. */
const triangle: ConstantFold = (context, [x]) => {
  const upper = context.attributes.int('upper', 1) === 1;
  const diagonal = context.number(1, 0);
  const strides = stridesOf(x!.shape);
  return tabulate(x!.dtype, x!.shape, (index) => {
    const distance = index.at(-1)! - index.at(-2)! - diagonal;
    return (upper ? distance >= 0 : distance <= 0) ? x!.data[offsetOf(index, strides)]! : 0;
  });
};

function reduction(f: (a: number, b: number) => number): ConstantFold {
  return (context, [x]) => {
    const axes = axesOf(context, x!.shape.length, 1);
    const kept = x!.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
    const strides = stridesOf(kept).map((stride, axis) => (axes.includes(axis) ? 0 : stride));
    const totals = new Map<number, number>();
    tabulate(x!.dtype, x!.shape, (index) => {
      const [to, value] = [offsetOf(index, strides), x!.data[offsetOf(index, stridesOf(x!.shape))]!];
      totals.set(to, totals.has(to) ? f(totals.get(to)!, value) : value);
      return 0;
    });
    const keepdims = context.attributes.int('keepdims', 1) === 1;
    const shape = keepdims ? kept : x!.shape.filter((_, axis) => !axes.includes(axis));
    return staticTensor(
      x!.dtype,
      shape,
      Array.from({ length: sizeOf(kept) }, (_, k) => totals.get(k)!),
    );
  };
}

/** Where numbers are not 0: an index by axis and number [rank, count]. */
const places: ConstantFold = (_, [x]) => {
  const found: number[][] = x!.shape.map(() => []);
  tabulate(x!.dtype, x!.shape, (index) => {
    if (x!.data[offsetOf(index, stridesOf(x!.shape))] !== 0)
      index.forEach((at, axis) => found[axis]!.push(at));
    return 0;
  });
  return staticTensor('int64', [found.length, found[0]?.length ?? 0], found.flat());
};

/** Shapes, indices and masks that are known when a model is read. */
export const shapeFolds: ConstantFoldTable = {
  Gather: withInputs(2, gather),
  Concat: concat,
  Slice: slice,
  Transpose: transpose,
  Trilu: triangle,
  Reshape: reshaped((context, x) => reshapeTarget(context, x.shape)),
  Identity: (_, [x]) => x!,
  NonZero: places,
  ReduceProd: reduction((a, b) => a * b),
  ReduceSum: reduction((a, b) => a + b),
  ReduceMax: reduction(Math.max),
  ReduceMin: reduction(Math.min),
};
