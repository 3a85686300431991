import fc from 'fast-check';
import type { Domain } from '../samples.js';
import type { Specs, Table } from './spec.js';
import { application, broadcastable, extent, flag, parameter, shapeAndAxis, shapes } from './spec.js';

function alongAxis(domain: Domain = 'any'): Specs[] {
  return [shapeAndAxis.map(([shape, axis]) => application([parameter(shape, domain)], { axis }))];
}

function reduction(domain: Domain = 'any'): Specs[] {
  return [
    shapes(1, 4).chain((shape) =>
      fc
        .tuple(fc.subarray([...shape.keys()], { minLength: 1 }), flag, fc.boolean())
        .map(([axes, keepdims, all]) =>
          application([parameter(shape, domain)], all ? { keepdims } : { axes, keepdims }),
        ),
    ),
  ];
}

const reshape: Specs = shapes(1, 3).map((shape) =>
  application([parameter(shape)], { shape: [1, ...shape.toReversed()] }),
);

const flatten: Specs = shapes(1, 4).chain((shape) =>
  fc.integer({ min: 0, max: shape.length }).map((axis) => application([parameter(shape)], { axis })),
);

const transpose: Specs = shapes(1, 4).chain((shape) =>
  fc
    .shuffledSubarray([...shape.keys()], { minLength: shape.length })
    .map((perm) => application([parameter(shape)], { perm })),
);

const squeeze: Specs = shapes(0, 2).map((shape) =>
  application([parameter([...shape, 1, 2, 1])], { axes: [-1, shape.length] }),
);

const unsqueeze: Specs = shapes(0, 3).map((shape) => application([parameter(shape)], { axes: [0, -1] }));

const expand: Specs = broadcastable(2).map(([from, to]) => application([parameter(from!)], { shape: to! }));

const tile: Specs = shapes(1, 3).chain((shape) =>
  fc
    .array(fc.integer({ min: 1, max: 3 }), { minLength: shape.length, maxLength: shape.length })
    .map((repeats) => application([parameter(shape)], { repeats })),
);

const concat: Specs = fc
  .tuple(shapeAndAxis, fc.array(extent, { minLength: 1, maxLength: 3 }))
  .map(([[shape, axis], sizes]) => {
    const at = axis < 0 ? axis + shape.length : axis;
    const inputs = sizes.map((size) => parameter(shape.map((old, k) => (k === at ? size : old))));
    return application(inputs, { axis });
  });

const split: Specs = fc
  .tuple(shapeAndAxis, fc.array(extent, { minLength: 1, maxLength: 3 }))
  .map(([[shape, axis], parts]) => {
    const at = axis < 0 ? axis + shape.length : axis;
    const total = parts.reduce((a, b) => a + b);
    const whole = shape.map((old, k) => (k === at ? total : old));
    return application([parameter(whole)], { axis, split: parts });
  });

const slice: Specs = fc
  .tuple(
    fc.array(fc.integer({ min: 3, max: 6 }), { minLength: 2, maxLength: 2 }),
    fc.nat(2),
    fc.constantFrom(1, 1, 2, 3),
    fc.constantFrom(-1, -2, 1),
  )
  .map(([shape, start, forwards, backwards]) =>
    application([parameter(shape)], {
      starts: [start, backwards < 0 ? -1 : -2],
      ends: [1000, backwards < 0 ? -1000 : 1000],
      axes: [0, -1],
      steps: [forwards, backwards],
    }),
  );

const pad: Specs = fc
  .tuple(
    fc.array(fc.integer({ min: 2, max: 4 }), { minLength: 2, maxLength: 2 }),
    fc.array(fc.integer({ min: -1, max: 2 }), { minLength: 4, maxLength: 4 }),
    fc.constantFrom(0, 1.5),
  )
  .filter(([shape, pads]) =>
    shape.every((size, k) => size + Math.min(0, pads[k]!) + Math.min(0, pads[k + 2]!) > 0),
  )
  .map(([shape, pads, value]) => application([parameter(shape)], { pads, value }));

const gather: Specs = fc
  .tuple(shapeAndAxis, shapes(0, 2), fc.constantFrom('int32', 'int64'))
  .map(([[shape, axis], indices, dtype]) =>
    application(
      [parameter(shape), { shape: indices, dtype, from: -shape.at(axis)!, below: shape.at(axis)! }],
      { axis },
    ),
  );

export const shape: Table = {
  Softmax: alongAxis(),
  LogSoftmax: alongAxis(),
  ReduceSum: reduction(),
  ReduceMean: reduction(),
  ReduceMax: reduction('distinct'),
  Reshape: [reshape],
  Flatten: [flatten],
  Transpose: [transpose],
  Squeeze: [squeeze],
  Unsqueeze: [unsqueeze],
  Expand: [expand],
  Tile: [tile],
  Concat: [concat],
  Split: [split],
  Slice: [slice],
  Pad: [pad],
  Gather: [gather],
};
