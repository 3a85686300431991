import fc from 'fast-check';
import type { ChunkApplication, ChunkInput } from './lift.js';
import { parameter } from './spec.js';
import type { Domain } from '../samples.js';

/** Layers as networks have them: sizes that kernels treat differently, odd ones among them. */
export type Layers = (examples: number) => fc.Arbitrary<ChunkApplication>;

const data = (shape: number[], domain: Domain = 'any'): ChunkInput => ({
  spec: parameter(shape, domain),
  hasExamples: true,
});
const weight = (shape: number[]): ChunkInput => ({ spec: parameter(shape), hasExamples: false });

const channelCounts = fc.constantFrom(1, 3, 10, 16, 20, 40, 64, 96);
const smallCounts = fc.constantFrom(1, 2, 3, 5);

interface Window {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padBegin: number;
  readonly padEnd: number;
  readonly extra: number;
}

const reach = ({ kernel, dilation }: Window): number => (kernel - 1) * dilation + 1;
/** The input is large enough for `extra` further positions. */
const inputExtent = (window: Window): number =>
  Math.max(1, reach(window) - window.padBegin - window.padEnd + window.extra);

const window = (mostKernel: number): fc.Arbitrary<Window> =>
  fc
    .record({
      kernel: fc.integer({ min: 1, max: mostKernel }),
      stride: fc.integer({ min: 1, max: 3 }),
      dilation: fc.constantFrom(1, 1, 2),
      padBegin: fc.nat(3),
      padEnd: fc.nat(3),
      extra: fc.nat(6),
    })
    .map((drawn) => ({
      ...drawn,
      padBegin: Math.min(drawn.padBegin, drawn.kernel - 1),
      padEnd: Math.min(drawn.padEnd, drawn.kernel - 1),
    }));

function windowAttributes(windows: readonly Window[]): Record<string, number[]> {
  return {
    strides: windows.map(({ stride }) => stride),
    dilations: windows.map(({ dilation }) => dilation),
    pads: [...windows.map(({ padBegin }) => padBegin), ...windows.map(({ padEnd }) => padEnd)],
  };
}

const planes = (mostKernel: number): fc.Arbitrary<Window[]> =>
  fc.array(window(mostKernel), { minLength: 1, maxLength: 2 });

/** Large kernels go with few channels: the reference engine has to do them, too. */
const dense = (examples: number): fc.Arbitrary<ChunkApplication> =>
  fc
    .record({ windows: planes(7), c: channelCounts, m: channelCounts, bias: fc.boolean() })
    .filter(({ windows, c, m }) => windows.reduce((cost, w) => cost * reach(w) * inputExtent(w), c * m) < 2e5)
    .map(({ windows, c, m, bias }) => ({
      op: 'Conv',
      inputs: [
        data([examples, c, ...windows.map(inputExtent)]),
        weight([m, c, ...windows.map(({ kernel }) => kernel)]),
        ...(bias ? [weight([m])] : []),
      ],
      attributes: windowAttributes(windows),
    }));

const grouped = (examples: number): fc.Arbitrary<ChunkApplication> =>
  fc
    .record({ windows: planes(5), group: fc.constantFrom(2, 3, 8), c: smallCounts, m: smallCounts })
    .map(({ windows, group, c, m }) => ({
      op: 'Conv',
      inputs: [
        data([examples, c * group, ...windows.map(inputExtent)]),
        weight([m * group, c, ...windows.map(({ kernel }) => kernel)]),
      ],
      attributes: { ...windowAttributes(windows), group },
    }));

/** 3×3, of a stride of 2 too, or 5×5, transposed too, with enough channels for Winograd's products. */
export const winograd: Layers = (examples) =>
  fc
    .constantFrom({ side: 3, stride: 1 }, { side: 3, stride: 2 }, { side: 5, stride: 1 })
    .chain(({ side, stride }) =>
      fc
        .record({
          c: fc.constantFrom(16, 20, 32, 40, 64),
          m: fc.constantFrom(16, 20, 32, 40, 64),
          isTransposed: fc.boolean(),
          height: fc.integer({ min: side, max: side + 6 * stride }),
          width: fc.integer({ min: side, max: side + 6 * stride }),
          pads: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 4, maxLength: 4 }),
        })
        .map(({ c, m, isTransposed, height, width, pads }) => ({
          op: isTransposed ? 'ConvTranspose' : 'Conv',
          inputs: [
            data([examples, c, height, width]),
            weight([...(isTransposed ? [c, m] : [m, c]), side, side]),
          ],
          attributes: { pads, strides: [stride, stride] },
        })),
    );

const sizes = fc.constantFrom(1, 2, 3, 7, 10, 17, 31, 64, 100, 129);

const fullyConnected: Layers = (examples) =>
  fc
    .record({ k: sizes, m: sizes, transB: fc.constantFrom(0, 1), bias: fc.boolean(), scaled: fc.boolean() })
    .map(({ k, m, transB, bias, scaled }) => ({
      op: 'Gemm',
      inputs: [data([examples, k]), weight(transB === 1 ? [m, k] : [k, m]), ...(bias ? [weight([m])] : [])],
      attributes: { transB, ...(scaled ? { alpha: 0.75, beta: -1.5 } : {}) },
    }));

const images: fc.Arbitrary<number[]> = fc.tuple(
  fc.constantFrom(1, 3, 10, 16),
  fc.integer({ min: 1, max: 9 }),
  fc.integer({ min: 1, max: 9 }),
);

const pooling: Layers = (examples) =>
  fc
    .record({
      op: fc.constantFrom('MaxPool', 'AveragePool'),
      windows: fc.array(window(4), { minLength: 2, maxLength: 2 }),
      c: fc.constantFrom(1, 3, 10, 16),
      ceil_mode: fc.constantFrom(0, 1),
      count_include_pad: fc.constantFrom(0, 1),
    })
    .map(({ op, windows, c, ceil_mode, count_include_pad }) => ({
      op,
      inputs: [data([examples, c, ...windows.map(inputExtent)], 'distinct')],
      attributes: {
        ...windowAttributes(windows),
        kernel_shape: windows.map(({ kernel }) => kernel),
        ceil_mode,
        ...(op === 'AveragePool' ? { count_include_pad } : {}),
      },
    }));

const globalPooling: Layers = (examples) =>
  images.map((shape) => ({
    op: 'GlobalAveragePool',
    inputs: [data([examples, ...shape])],
    attributes: {},
  }));

/** Numbers near 0, and numbers far from 0 compared with how they vary. */
const batchNorm: Layers = (examples) =>
  fc
    .tuple(images, fc.constantFrom<Domain>('any', { oneOf: [99.5, 100, 100.25, 101, 102.5] }))
    .map(([shape, domain]) => ({
      op: 'BatchNormTraining',
      inputs: [data([examples, ...shape], domain), weight([shape[0]!]), weight([shape[0]!])],
      attributes: {},
      outputs: 1,
    }));

/** Kinds of layers by name. */
export const layers: Readonly<Record<string, Layers>> = {
  convolutions: dense,
  'grouped convolutions': grouped,
  'dense layers': fullyConnected,
  pooling,
  'global pooling': globalPooling,
  'batch normalisation': batchNorm,
};
