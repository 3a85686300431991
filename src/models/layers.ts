import type { InputTransform } from '../data/types.js';
import type { GraphBuilder } from '../graph/builder.js';
import { sizeOf } from '../graph/types.js';
import type { Initializer, Shape, Value } from '../graph/types.js';
import { resolvePads } from '../graph/windows.js';
import { maskPrefix } from './dropout.js';

export interface ConvOptions {
  readonly channels: number;
  /** Extent of the square kernel. */
  readonly kernel: number;
  /** Default 1. Padding keeps ceil(extent / stride), the larger half after the image, as TensorFlow's SAME does. */
  readonly stride?: number;
}

/** ε of batch normalisation, Keras's default. */
const batchNormEpsilon = 1e-3;

/**
 * Adds a network's layers to a graph. A layer named `fc1` owns the tensors `fc1.weight` and `fc1.bias`; kernels start He-normal,
 * biases at zero (S7). Images are [N, C, H, W].
 */
export class Layers {
  readonly #builder: GraphBuilder;
  readonly #dropout: Readonly<Record<string, number>>;

  /** `dropout` holds the masks that this graph has; empty outside training. */
  constructor(builder: GraphBuilder, dropout: Readonly<Record<string, number>>) {
    this.#builder = builder;
    this.#dropout = dropout;
  }

  /** Input `x` [examples, …shape] as float32, scaled as `transform` says. */
  input(examples: number, shape: Shape, transform: InputTransform): Value {
    const builder = this.#builder;
    let x = builder.input('x', transform.dtype, [examples, ...shape]);
    if (transform.dtype !== 'float32') x = builder.apply('Cast', [x], { to: 'float32' });
    if (transform.divisor !== 1) x = builder.apply('Div', [x, builder.scalar(transform.divisor)]);
    const perChannel = (values: readonly number[]) =>
      builder.constant(values, [values.length, ...shape.slice(1).map(() => 1)]);
    if (transform.mean.length > 0) x = builder.apply('Sub', [x, perChannel(transform.mean)]);
    if (transform.std.length > 0) x = builder.apply('Div', [x, perChannel(transform.std)]);
    return x;
  }

  /** x [N, in] · weightᵀ + bias, weight [out, in]. */
  dense(x: Value, name: string, outputs: number): Value {
    const inputs = x.shape[1]!;
    const weight = this.#tensor(name, 'weight', [outputs, inputs], { kind: 'heNormal', fanIn: inputs });
    const bias = this.#tensor(name, 'bias', [outputs], { kind: 'zeros' });
    return this.#builder.apply('Gemm', [x, weight, bias], { transB: 1 }, name);
  }

  /** Convolution with bias, weight [out, in, k, k]. */
  conv(x: Value, name: string, { channels, kernel, stride = 1 }: ConvOptions): Value {
    const shape = [channels, x.shape[1]!, kernel, kernel];
    const weight = this.#tensor(name, 'weight', shape, { kind: 'heNormal', fanIn: sizeOf(shape.slice(1)) });
    const bias = this.#tensor(name, 'bias', [channels], { kind: 'zeros' });
    const strides = [stride, stride];
    const pads = resolvePads('SAME_UPPER', x.shape.slice(2), [kernel, kernel], strides);
    return this.#builder.apply('Conv', [x, weight, bias], { strides, pads }, name);
  }

  /** Batch normalisation with the statistics of the chunk; scale starts at one, shift at zero, both trainable. */
  batchNorm(x: Value, name: string): Value {
    const channels = [x.shape[1]!];
    const scale = this.#tensor(name, 'scale', channels, { kind: 'ones' });
    const shift = this.#tensor(name, 'bias', channels, { kind: 'zeros' });
    return this.#builder.apply('BatchNormTraining', [x, scale, shift], { epsilon: batchNormEpsilon }, name);
  }

  relu(x: Value): Value {
    return this.#builder.apply('Relu', [x]);
  }

  add(a: Value, b: Value): Value {
    return this.#builder.apply('Add', [a, b]);
  }

  /** Maximum over 2x2 windows, stride 2. */
  maxPool(x: Value): Value {
    return this.#builder.apply('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] });
  }

  /** [N, C, H, W] → [N, C] */
  globalAveragePool(x: Value): Value {
    return this.flatten(this.#builder.apply('GlobalAveragePool', [x]));
  }

  /** [N, …] → [N, rest] */
  flatten(x: Value): Value {
    return this.#builder.apply('Flatten', [x]);
  }

  /** In training, x times the mask input `dropout/NAME`; else x itself. */
  dropout(x: Value, name: string): Value {
    const input = `${maskPrefix}${name}`;
    if (!(input in this.#dropout)) return x;
    return this.#builder.apply('Mul', [x, this.#builder.input(input, 'float32', x.shape)]);
  }

  #tensor(layer: string, kind: string, shape: Shape, initializer: Initializer): Value {
    return this.#builder.parameter(`${layer}.${kind}`, shape, { layer, neuronAxis: 0, initializer });
  }
}
