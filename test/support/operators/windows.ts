import fc from 'fast-check';
import type { Attributes } from '../../../src/graph/types.js';
import type { Specs, Table } from './spec.js';
import { application, flag, parameter, shapes } from './spec.js';

interface Sliding {
  readonly kernel: number[];
  readonly attributes: { strides: number[]; pads: number[]; dilations: number[] };
}

/** Windows over one or two spatial axes of extents from 5 to 7, which they fit into. */
const sliding: fc.Arbitrary<Sliding & { input: number[] }> = fc.integer({ min: 1, max: 2 }).chain((rank) => {
  const list = (min: number, max: number, length = rank): fc.Arbitrary<number[]> =>
    fc.array(fc.integer({ min, max }), { minLength: length, maxLength: length });
  return fc
    .record({
      input: list(5, 7),
      kernel: list(1, 3),
      strides: list(1, 3),
      pads: list(0, 2, 2 * rank),
      dilations: list(1, 2),
    })
    .map(({ input, kernel, ...attributes }) => ({ input, kernel, attributes }));
});

const channels = fc.record({
  n: fc.integer({ min: 1, max: 2 }),
  group: fc.integer({ min: 1, max: 2 }),
  c: fc.integer({ min: 1, max: 2 }),
  m: fc.integer({ min: 1, max: 2 }),
  bias: fc.boolean(),
});

const conv: Specs = fc
  .tuple(sliding, channels)
  .map(([{ input, kernel, attributes }, { n, group, c, m, bias }]) =>
    application(
      [
        parameter([n, c * group, ...input]),
        parameter([m * group, c, ...kernel]),
        ...(bias ? [parameter([m * group])] : []),
      ],
      { ...attributes, group },
    ),
  );

const convTranspose: Specs = fc
  .tuple(sliding, channels, fc.boolean())
  .map(([{ kernel, attributes }, { n, group, c, m, bias }, extra]) => {
    const output_padding = attributes.strides.map((stride) => (extra ? stride - 1 : 0));
    const x = [n, c * group, ...kernel.map(() => 4)];
    return application(
      [parameter(x), parameter([c * group, m, ...kernel]), ...(bias ? [parameter([m * group])] : [])],
      { ...attributes, pads: attributes.pads.map((p) => Math.min(p, 1)), group, output_padding },
    );
  });

/** Pads stay smaller than the window. */
function pooling(extra: fc.Arbitrary<Attributes> = fc.constant({})): Specs[] {
  return [
    fc.tuple(sliding, flag, extra).map(([{ input, kernel, attributes }, ceil_mode, more]) => {
      const pads = attributes.pads.map((p, k) => Math.min(p, kernel[k % kernel.length]! - 1));
      const all = { ...attributes, pads, kernel_shape: kernel, ceil_mode, ...more };
      return application([parameter([2, 2, ...input], 'distinct')], all);
    }),
  ];
}

/** [N, C, …] */
const images = shapes(1, 3).map((spatial) => [2, 3, ...spatial]);

const countPadding = flag.map((count_include_pad): Attributes => ({ count_include_pad }));

export const windows: Table = {
  Conv: [conv],
  ConvTranspose: [convTranspose],
  MaxPool: pooling(),
  AveragePool: pooling(countPadding),
  GlobalAveragePool: [images.map((shape) => application([parameter(shape)]))],
};
