import fc from 'fast-check';
import { GraphBuilder } from '../../src/graph/builder.js';
import type { Value } from '../../src/graph/types.js';
import { sizeOf } from '../../src/graph/types.js';
import type { ChunkProblem } from './chunk-problem.js';
import type { Random } from './samples.js';
import { randomFrom, samples } from './samples.js';

/** A dense layer of bytes [examples, ...shape], scaled or not, as networks have them. */
export interface ByteLayer {
  readonly shape: readonly number[];
  readonly rows: number;
  readonly transB: 0 | 1;
  readonly scale: 'Mul' | 'Div' | null;
  /** Whether a mean is subtracted, and what is left divided. */
  readonly isStandardised: boolean;
  readonly bias: boolean;
  readonly relu: boolean;
}

/** Sizes around those of tiles, and odd ones. */
export const byteLayers: fc.Arbitrary<ByteLayer> = fc.record({
  shape: fc.constantFrom([1], [2, 3], [15], [16], [17], [31], [4, 8], [33], [3, 5, 7], [64], [1, 9, 9], [100], [130]),
  rows: fc.constantFrom(1, 2, 5, 15, 16, 17, 32, 33, 50),
  transB: fc.constantFrom(0 as const, 1 as const),
  scale: fc.constantFrom('Mul' as const, 'Div' as const, null),
  isStandardised: fc.boolean(),
  bias: fc.boolean(),
  relu: fc.boolean(),
}); // prettier-ignore

/** As many zeros as images have, and the largest byte. */
const byteOf = (random: Random): number => {
  const u = random();
  return u < 0.3 ? 0 : u > 0.97 ? 255 : Math.floor(256 * random());
};

/** The sum of layers' outputs times drawn factors, as a loss. Each layer has bytes of its own; the first feed is of bytes. */
export function byteProblem(layers: readonly ByteLayer[], examples: number, seed: number): ChunkProblem {
  const builder = new GraphBuilder('bytes');
  const random = randomFrom(seed);
  const theta: number[] = [];
  const feeds: Record<string, Uint8Array | Float32Array> = {};
  const parameter = (name: string, shape: number[], numbers: number[]): Value => {
    theta.push(...numbers);
    return builder.parameter(name, shape, {
      layer: 'case',
      neuronAxis: null,
      initializer: { kind: 'zeros' },
    });
  };
  const terms: Value[] = [];
  const parts = layers.map(({ shape, rows, transB, scale, isStandardised, bias, relu }, k) => {
    const from = theta.length;
    const columns = sizeOf(shape);
    feeds[`x${k}`] = Uint8Array.from({ length: examples * columns }, () => byteOf(random));
    const x = builder.apply('Cast', [builder.input(`x${k}`, 'uint8', [examples, ...shape])], { to: 'float32' }); // prettier-ignore
    const scaled = scale === null ? x : builder.apply(scale, [x, builder.constant([scale === 'Mul' ? 1 / 255 : 255], [])]); // prettier-ignore
    const size = scale === null ? 0.01 : 1;
    const by = (op: string, value: Value, number: number): Value => builder.apply(op, [value, builder.constant([number], shape.map(() => 1))]); // prettier-ignore
    const given = isStandardised ? by('Div', by('Sub', scaled, 0.3 / size), 0.4) : scaled;
    const flat = shape.length === 1 ? given : builder.apply('Flatten', [given]);
    const weights = samples('any', rows * columns, 1, random).map((w) => size * w);
    const w = parameter(`w${k}`, transB === 1 ? [rows, columns] : [columns, rows], weights);
    const b = bias ? [parameter(`b${k}`, [rows], samples('any', rows, 2, random))] : [];
    const z = builder.apply('Gemm', [flat, w, ...b], { transB });
    const y = relu ? builder.apply('Relu', [z]) : z;
    feeds[`factor${k}`] = Float32Array.from(samples('any', examples * rows, 0, random));
    const factor = builder.input(`factor${k}`, 'float32', [examples, rows]);
    terms.push(builder.apply('ReduceSum', [builder.apply('Mul', [y, factor])], { keepdims: 0 }));
    const attributes = {
      shape,
      rows,
      transB,
      scale: scale ?? 'none',
      standardised: Number(isStandardised),
      bias: Number(bias),
      relu: Number(relu),
    };
    return { application: { op: 'Gemm', inputs: [], attributes }, from, to: theta.length };
  });
  const loss = terms.reduce((sum, term) => builder.apply('Add', [sum, term]));
  return { graph: builder.build([loss]), theta: Float64Array.from(theta), feeds, parts };
}
